import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { TsrunError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import {
  containerFolder,
  listIds,
  makeFolder,
  readRecord,
  removeFile,
  removeFolder,
  storedConfig,
  writeConfig,
  writeRecord,
} from './store.ts';
import { recordOf, storedContainer, temporaryRoot } from './testing/fixtures.ts';

describe('state store', () => {
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

  it('lets nobody but the owner in', () => {
    const folder = storedContainer(root(), 'c1');
    expect(statSync(folder.path).mode & 0o777).to.equal(0o700);
    expect(statSync(join(folder.path, 'state.json')).mode & 0o777).to.equal(0o600);
  });

  it('replaces a record whole: a writer that was killed half-way has changed nothing', () => {
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

  it('takes a folder without a record for no container', () => {
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
    ['a record of a later version', JSON.stringify({ ...recordOf('c1'), version: 2 })],
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

  it('says that a folder is broken when its record is a directory, or it is itself a file', () => {
    mkdirSync(join(root().path, 'c1', 'state.json'), { recursive: true });
    fails(() => readRecord(containerFolder(root().path, 'c1')), 'corrupt', /state\.json is a directory/);
    writeFileSync(join(root().path, 'c2'), '');
    fails(() => readRecord(containerFolder(root().path, 'c2')), 'corrupt', /not a directory/);
  });

  it('lists containers, and none where nothing was ever created', () => {
    storedContainer(root(), 'b');
    storedContainer(root(), 'a');
    writeFileSync(join(root().path, 'file'), '');
    expect(listIds(root().path)).to.deep.equal(['a', 'b']);
    expect(listIds('/nonexistent/root')).to.deep.equal([]);
  });

  it('keeps the config as it was', () => {
    const folder = storedContainer(root(), 'c1');
    writeConfig(folder, '{ "ociVersion": "1.3.0" }\n');
    expect(storedConfig(folder).text).to.equal('{ "ociVersion": "1.3.0" }\n');
  });

  it('removes a folder with whatever is in it, and is content when it is gone', () => {
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

  it('removes a file that lies where a folder should', () => {
    const folder = containerFolder(root().path, 'c1');
    writeFileSync(folder.path, '');
    removeFile(folder);
    expect(existsSync(folder.path)).to.equal(false);
  });
});
