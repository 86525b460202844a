import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { renderNotice } from '../../cmd/tsrun/render.ts';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { maxConfigBytes, readBundle } from './bundle.ts';
import { goodConfig, makeBundle } from './testing/fixtures.ts';
import { resolveRootfs } from './rootfs.ts';

describe('readBundle', () => {
  const folders: string[] = [];
  const bundle = (text: string | Uint8Array): string => {
    const folder = makeBundle(text);
    folders.push(folder);
    return folder;
  };
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  const failure = (folder: string, file?: string): TsrunError => {
    try {
      readBundle(folder, file);
    } catch (error) {
      if (error instanceof TsrunError) return error;
      throw error;
    }
    throw new Error('read without an error');
  };

  it('reads the config and says where it is', () => {
    const text = JSON.stringify(goodConfig());
    const folder = bundle(text);
    symlinkSync(folder, join(folder, 'link'));
    const read = readBundle(join(folder, 'link'));
    expect(read).to.deep.equal({
      directory: folder,
      file: join(folder, 'config.json'),
      text,
      config: goodConfig(),
    });
  });

  it('reads another config file of the bundle, or one elsewhere', () => {
    const folder = bundle('{"a":1}');
    writeFileSync(join(folder, 'other.json'), '{"b":1}');
    expect(readBundle(folder, 'other.json').config).to.deep.equal({ b: 1 });
    expect(readBundle('/', join(folder, 'other.json')).file).to.equal(join(folder, 'other.json'));
  });

  it('names a missing bundle and a missing config', () => {
    const folder = bundle('{}');
    rmSync(join(folder, 'config.json'));
    expect(failure(folder)).to.include({ code: 'bundle', errno: 2 });
    expect(failure(folder).message).to.equal(
      `bundle ${folder}: open config.json: no such file or directory (ENOENT)`,
    );
    expect(failure(folder).hint).to.include('--bundle');
    expect(failure(join(folder, 'nowhere')).message).to.match(/^bundle .*nowhere: no such file or directory/);
  });

  it('does not hang on a FIFO, and says what is there instead of a file', () => {
    const folder = bundle('{}');
    const config = join(folder, 'config.json');
    rmSync(config);
    execFileSync('mkfifo', [config]);
    expect(failure(folder).message).to.match(/must be a regular file, not a FIFO/);
    rmSync(config);
    mkdirSync(config);
    expect(failure(folder).message).to.match(/must be a regular file, not a directory/);
    rmSync(config, { recursive: true });
    symlinkSync('/dev/zero', config);
    expect(failure(folder).message).to.match(/must be a regular file, not a device/);
    rmSync(config);
    symlinkSync('config.json', config);
    expect(failure(folder).message).to.match(/too many levels of symbolic links/);
  });

  it('says that a socket is no file', async () => {
    const folder = bundle('{}');
    rmSync(join(folder, 'config.json'));
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(join(folder, 'config.json'), resolve);
    });
    const { message } = failure(folder);
    server.close();
    expect(message).to.match(/must be a regular file, not a socket/);
  });

  it('refuses a file that is too large without reading it', () => {
    const folder = bundle('');
    truncateSync(join(folder, 'config.json'), maxConfigBytes + 1);
    expect(failure(folder).message).to.match(/larger than 16 MiB/);
    truncateSync(join(folder, 'config.json'), 2 ** 40);
    expect(failure(folder).message).to.match(/larger than 16 MiB/);
  });

  it('reads a file whose size the kernel does not say', () => {
    expect(renderNotice(failure('/proc/self', 'status'))).to.match(/^status:1:1: not valid JSON/);
  });

  it('wants UTF-8, and says where it is not', () => {
    expect(renderNotice(failure(bundle(Buffer.from('{\n"a":\n"\xff"}', 'latin1'))))).to.equal(
      'config.json:3:1: not valid UTF-8',
    );
    expect(renderNotice(failure(bundle(Buffer.from('{"a":1}', 'utf16le'))))).to.match(/not valid/);
    expect(renderNotice(failure(bundle(Buffer.from([0x7b, 0xed, 0xa0, 0x80]))))).to.match(
      /:1:1: not valid UTF-8/,
    );
  });

  it('takes a byte order mark', () => {
    const folder = bundle('\ufeff{"a":1}');
    expect(readBundle(folder)).to.deep.include({ text: '{"a":1}', config: { a: 1 } });
  });

  it('says where the JSON ends being JSON', () => {
    expect(
      renderNotice(failure(bundle('{\n  "root": { "path": "rootfs" },\n  "mounts": [1,],\n}'))),
    ).to.equal(
      'config.json:3:16: not valid JSON: expected a value, found "]" after a trailing comma, near "mounts": [1,],',
    );
    expect(renderNotice(failure(bundle('')))).to.equal(
      'config.json:1:1: not valid JSON: expected a value, found the end of the file',
    );
    expect(failure(bundle('['.repeat(100_000))).message).to.match(/nested more than 256 levels deep/);
  });

  it('lets nothing through that a terminal would act on', () => {
    const { message } = failure(bundle('{"a": \u001b[2J\u009b\u202e }'));
    expect(message)
      .to.match(/^[\x20-\x7e]*$/)
      .and.to.include('\\u001b');
  });
});

describe('resolveRootfs', () => {
  let folder: string;
  const refusal = (run: () => unknown): TsrunError => {
    try {
      run();
    } catch (error) {
      if (error instanceof TsrunError) return error;
    }
    throw new Error('nothing was refused');
  };
  const rootfsOf = (path: string): string => {
    writeFileSync(
      join(folder, 'config.json'),
      `{\n "ociVersion": "1.3.0",\n "root": {"path": ${JSON.stringify(path)}}}`,
    );
    return resolveRootfs(readBundle(folder));
  };
  beforeEach(() => {
    folder = makeBundle('');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('resolves against the bundle, through links', () => {
    symlinkSync('rootfs', join(folder, 'link'));
    for (const path of ['rootfs', './link', join(folder, 'rootfs'), 'rootfs/../rootfs/']) {
      expect(rootfsOf(path)).to.equal(join(folder, 'rootfs'));
    }
  });

  it('names a rootfs that is missing or no directory', () => {
    const missing = refusal(() => rootfsOf('nowhere'));
    expect(renderNotice(missing)).to.equal(
      `config.json:3:19: /root/path "nowhere": the rootfs ${folder}/nowhere: no such file or directory (ENOENT)`,
    );
    expect(() => rootfsOf('config.json')).to.throw(TsrunError, /config\.json is not a directory$/);
  });
});
