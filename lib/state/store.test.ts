import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ErrorCode, TsrunError } from '../core/error.ts';
import { silentSink } from '../testing/sink.ts';
import { lockNewContainer } from './make-container-folder.ts';
import { deleteContainer } from '../container/delete.ts';
import { containerFolder } from './folder.ts';
import { makeStateRoot } from './state-root.ts';
import { readStartOp } from './start-ops.ts';
import {
  containerExists,
  listIds,
  makeFolder,
  readRecord,
  removeFolder,
  storedConfig,
  writeConfig,
  writeRecord,
} from './store.ts';
import { recordOf, storedContainer, temporaryRoot } from './testing/fixtures.ts';

/** Defines a test, skipped for others than root when it is about files of somebody else. */
function ownerTest(what: string, title: string, body: () => void | Promise<void>): void {
  if (!what.includes('somebody else') || process.geteuid?.() === 0) it(title, body);
  else it.skip(`${title} (only root can give files away)`, body);
}

describe('the state store', () => {
  const root = temporaryRoot();

  const fails = (run: () => unknown, code: ErrorCode, message: RegExp): void => {
    try {
      run();
    } catch (error) {
      expect(error).to.be.instanceOf(TsrunError);
      expect((error as TsrunError).code).to.equal(code);
      expect((error as TsrunError).message).to.match(message);
      return;
    }
    expect.fail(`expected an error ${code}`);
  };

  it('keeps a record as it was written', () => {
    const record = recordOf('c1', {
      annotations: { 'org.example': 'ü "quoted"' },
      cgroup: { driver: 'cgroupfs', version: 1, paths: { cpu: '/sys/fs/cgroup/cpu/c1' }, shared: {} },
      hooks: { poststop: [{ path: '/bin/true', args: ['true'], env: [], timeout: 1.5 }] },
    });
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    writeRecord(folder, record);
    expect(readRecord(folder)).to.deep.equal(record);
  });

  it('makes folders and records for their owner only', () => {
    const folder = storedContainer(root(), 'c1');
    expect(statSync(folder.path).mode & 0o777).to.equal(0o700);
    expect(statSync(join(folder.path, 'state.json')).mode & 0o777).to.equal(0o600);
  });

  it('replaces a record as a whole, so that a writer that was killed has changed nothing', () => {
    const folder = storedContainer(root(), 'c1');
    writeFileSync(join(folder.path, 'state.json.new'), '{"version":1,"id":"c');
    expect(readRecord(folder).id).to.equal('c1');
    writeRecord(folder, recordOf('c1', { phase: 'creating' }));
    expect(readRecord(folder).phase).to.equal('creating');
    expect(readdirSync(folder.path)).to.deep.equal(['state.json']);
  });

  it('says that a container does not exist', () => {
    const words = /^container "nobody" does not exist$/;
    fails(() => readRecord(containerFolder(root().path, 'nobody')), 'not-found', words);
    fails(() => readRecord(containerFolder('/nonexistent/root', 'nobody')), 'not-found', words);
    const long = 'x'.repeat(1000);
    fails(() => readRecord(containerFolder(root().path, long)), 'not-found', /does not exist$/);
  });

  it('finds no container in a folder without a record', () => {
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    fails(() => readRecord(folder), 'not-found', /does not exist/);
    expect(listIds(root().path)).to.deep.equal([]);
  });

  const broken: [string, string][] = [
    ['nothing', ''],
    ['half a record', '{"version":1,"id":"c1"'],
    ['another kind of file', '[]'],
    ['null', 'null'],
    ['a pid that is none', JSON.stringify({ ...recordOf('c1'), init: { pid: -1, startTime: 5 } })],
    ['a pid of the wrong type', JSON.stringify({ ...recordOf('c1'), init: { pid: '7', startTime: 5 } })],
    ['a cgroup that is none', JSON.stringify({ ...recordOf('c1'), cgroup: { paths: [] } })],
    ['hooks that are none', JSON.stringify({ ...recordOf('c1'), hooks: { poststop: [{}] } })],
    ['another container’s record', JSON.stringify(recordOf('c2'))],
  ];
  for (const [what, text] of broken) {
    it(`says that a folder is broken: ${what}`, () => {
      const folder = containerFolder(root().path, 'c1');
      makeFolder(folder);
      writeFileSync(join(folder.path, 'state.json'), text);
      fails(() => readRecord(folder), 'corrupt', /folder .*\/c1 of container "c1" is broken/);
    });
  }

  it('says that a record was written by a newer tsrun', () => {
    const folder = storedContainer(root(), 'c1');
    writeFileSync(join(folder.path, 'state.json'), JSON.stringify({ version: 2, news: true }));
    fails(
      () => readRecord(folder),
      'unsupported',
      /written by a newer tsrun \(version 2, this one knows 1\)/,
    );
  });

  it('says that a record is lost when there is only the config', () => {
    const folder = storedContainer(root(), 'c1');
    writeConfig(folder, '{}');
    unlinkSync(join(folder.path, 'state.json'));
    fails(() => readRecord(folder), 'corrupt', /its state\.json is missing/);
    expect(containerExists(folder)).to.equal(true);
    expect(listIds(root().path)).to.deep.equal(['c1']);
  });

  const kinds: [string, (path: string) => void, RegExp][] = [
    [
      'a directory',
      (path) => {
        mkdirSync(path);
      },
      /not a regular file/,
    ],
    [
      'a FIFO',
      (path) => {
        execFileSync('mkfifo', [path]);
      },
      /not a regular file/,
    ],
    [
      'a symbolic link',
      (path) => {
        symlinkSync('/proc/self/status', path);
      },
      /a symbolic link/,
    ],
    [
      'a file others may write',
      (path) => {
        writeFileSync(path, '{}');
        chmodSync(path, 0o666);
      },
      /mode 0666/,
    ],
    [
      'somebody else’s',
      (path) => {
        writeFileSync(path, '{}');
        chownSync(path, 7, 7);
      },
      /belongs to uid 7/,
    ],
  ];
  for (const [what, make, why] of kinds) {
    ownerTest(what, `reads nothing of a container’s that is ${what}`, () => {
      const folder = containerFolder(root().path, 'c1');
      makeFolder(folder);
      for (const name of ['state.json', 'config.json', 'start-ops.json']) make(join(folder.path, name));
      fails(() => readRecord(folder), 'corrupt', why);
      fails(() => storedConfig(folder).text, 'corrupt', why);
      expect(readStartOp(folder, 0)).to.equal(undefined);
    });
  }

  it('writes through no link and into no file that was there before it', () => {
    const folder = storedContainer(root(), 'c1');
    const victim = join(root().path, 'victim');
    writeFileSync(victim, 'kept');
    for (const name of ['state.json.new', 'config.json']) symlinkSync(victim, join(folder.path, name));
    writeRecord(folder, recordOf('c1', { phase: 'creating' }));
    fails(
      () => {
        writeConfig(folder, '{}');
      },
      'system',
      /EEXIST/,
    );
    linkSync(victim, join(folder.path, 'state.json.new'));
    writeRecord(folder, recordOf('c1'));
    expect(readRecord(folder).phase).to.equal('created');
    expect(readFileSync(victim, 'utf8')).to.equal('kept');
  });

  const places: [string, (path: string, elsewhere: string) => void, RegExp][] = [
    [
      'a file',
      (path) => {
        writeFileSync(path, '');
      },
      /not a directory/,
    ],
    [
      'a symbolic link to a folder',
      (path, elsewhere) => {
        symlinkSync(elsewhere, path);
      },
      /not a directory/,
    ],
    [
      'others’ to write',
      (path) => {
        mkdirSync(path);
        chmodSync(path, 0o770);
      },
      /mode 0770/,
    ],
    [
      'somebody else’s',
      (path) => {
        mkdirSync(path);
        chownSync(path, 7, 7);
      },
      /belongs to uid 7/,
    ],
    [
      'full of other things',
      (path) => {
        mkdirSync(path);
        writeFileSync(join(path, 'x'), '');
      },
      /holds "x"/,
    ],
  ];
  for (const [what, make, why] of places) {
    ownerTest(what, `neither makes nor removes a container where the folder is ${what}`, () => {
      const elsewhere = storedContainer(root(), 'elsewhere').path;
      const folder = containerFolder(root().path, 'c1');
      make(folder.path, elsewhere);
      fails(() => lockNewContainer(folder), 'untrusted', why);
      fails(
        () => {
          deleteContainer({ root: root(), id: 'c1', force: true, log: silentSink });
        },
        'untrusted',
        why,
      );
      expect(existsSync(folder.path)).to.equal(true);
      expect(readdirSync(elsewhere)).to.deep.equal(['state.json']);
      if (what.startsWith('full')) expect(readdirSync(folder.path)).to.deep.equal(['x']);
    });
  }

  const roots: [string, (path: string, elsewhere: string) => void, RegExp][] = [
    [
      'others may write',
      (path) => {
        mkdirSync(path);
        chmodSync(path, 0o777);
      },
      /mode 0777/,
    ],
    [
      'belongs to somebody else',
      (path) => {
        mkdirSync(path);
        chownSync(path, 7, 7);
      },
      /belongs to uid 7/,
    ],
    [
      'is somebody else’s link',
      (path, elsewhere) => {
        symlinkSync(elsewhere, path);
        lchownSync(path, 7, 7);
      },
      /symbolic link of uid 7/,
    ],
  ];
  for (const [what, make, why] of roots) {
    ownerTest(what, `trusts no state root that ${what}`, () => {
      const path = join(root().path, 'inner');
      make(path, root().path);
      const inner = { path, inRuntimeDir: false };
      fails(
        () => {
          makeStateRoot(inner);
        },
        'untrusted',
        why,
      );
      fails(() => lockNewContainer(containerFolder(path, 'c1')), 'untrusted', why);
      fails(() => readRecord(containerFolder(path, 'c1')), 'untrusted', why);
      fails(() => listIds(path), 'untrusted', why);
    });
  }

  it('takes a state root that is a link of our own, or open to all with a sticky bit', () => {
    const target = join(root().path, 'target');
    mkdirSync(target);
    chmodSync(target, 0o1777);
    const link = join(root().path, 'link');
    symlinkSync(target, link);
    makeStateRoot({ path: link, inRuntimeDir: false });
    storedContainer({ path: link, inRuntimeDir: false }, 'c1');
    expect(listIds(target)).to.deep.equal(['c1']);
  });

  it('lists containers, and none where nothing was ever created', () => {
    storedContainer(root(), 'b');
    storedContainer(root(), 'a');
    writeFileSync(join(root().path, 'file'), '');
    expect(listIds(root().path)).to.deep.equal(['a', 'b']);
    expect(listIds('/nonexistent/root')).to.deep.equal([]);
  });

  it('keeps the text of a config unchanged', () => {
    const folder = storedContainer(root(), 'c1');
    writeConfig(folder, '{ "ociVersion": "1.3.0" }\n');
    expect(storedConfig(folder).text).to.equal('{ "ociVersion": "1.3.0" }\n');
  });

  it('removes a folder with all that is in it, and does nothing without one', () => {
    const folder = storedContainer(root(), 'c1');
    writeFileSync(join(folder.path, 'lock'), '');
    mkdirSync(join(folder.path, 'notify/deep'), { recursive: true });
    writeFileSync(join(folder.path, 'notify/deep/file'), '');
    removeFolder(folder);
    expect(existsSync(folder.path)).to.equal(false);
    removeFolder(folder);
  });

  it('removes no file through a symbolic link', () => {
    const folder = storedContainer(root(), 'c1');
    const outside = join(root().path, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'stays');
    mkdirSync(join(folder.path, 'sub'));
    symlinkSync(outside, join(folder.path, 'link'));
    symlinkSync(outside, join(folder.path, 'sub', 'link'));
    removeFolder(folder);
    expect(existsSync(folder.path)).to.equal(false);
    expect(readFileSync(join(outside, 'file'), 'utf8')).to.equal('stays');
  });
});
