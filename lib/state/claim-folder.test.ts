import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { claimFolder } from './claim-folder.ts';
import { lockContainer } from './lock.ts';
import { containerFolder } from './folder.ts';
import { makeFolder, readRecord, removeFolder, writeRecord } from './store.ts';
import type { ContainerFolder } from './folder.ts';
import { recordOf, storedContainer, temporaryRoot } from '../container/testing/fixtures.ts';

describe('lock and claim', () => {
  const root = temporaryRoot();
  let helper: ChildProcess | undefined;

  afterEach(() => {
    helper?.kill('SIGKILL');
    helper = undefined;
  });

  /** Another process that holds the lock until its stdin ends. */
  async function holder(folder: ContainerFolder): Promise<ChildProcess> {
    const child = spawn('flock', ['-x', join(folder.path, 'lock'), 'sh', '-c', 'echo held; read x'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    helper = child;
    await once(child.stdout, 'data');
    return child;
  }

  /** As another process sees it. */
  const isFree = (folder: ContainerFolder): boolean => {
    const { status } = spawnSync('flock', ['-n', '-E', '9', join(folder.path, 'lock'), 'true']);
    expect(status).to.be.oneOf([0, 9]);
    return status === 0;
  };

  it('is held by one at a time, over processes', async () => {
    const folder = storedContainer(root(), 'c1');
    const child = await holder(folder);
    expect(lockContainer(folder, { wait: false })).to.equal(undefined);
    child.stdin?.end();
    await once(child, 'exit');
    const lock = lockContainer(folder, { wait: false });
    expect(lock).not.to.equal(undefined);
    expect(lockContainer(folder, { wait: false })).to.equal(undefined);
    expect(isFree(folder)).to.equal(false);
    lock?.release();
    expect(isFree(folder)).to.equal(true);
    // Its descriptor may be another file's by now.
    const next = lockContainer(folder);
    lock?.release();
    expect(isFree(folder)).to.equal(false);
    next.release();
    expect(isFree(folder)).to.equal(true);
  });

  it('goes when its holder is killed', async () => {
    const folder = storedContainer(root(), 'c1');
    const child = await holder(folder);
    // The shell below flock has the descriptor, too.
    child.stdin?.end();
    child.kill('SIGKILL');
    await once(child, 'exit');
    let lock = lockContainer(folder, { wait: false });
    for (let tries = 0; lock === undefined && tries < 500; tries++) {
      await delay(10);
      lock = lockContainer(folder, { wait: false });
    }
    expect(lock).not.to.equal(undefined);
    expect(isFree(folder)).to.equal(false);
    lock?.release();
  });

  it('says that there is nothing to lock', () => {
    const folder = containerFolder(root().path, 'nobody');
    expect(() => lockContainer(folder))
      .to.throw(TsrunError)
      .with.property('code', 'not-found');
    expect(existsSync(folder.path)).to.equal(false);
  });

  it('is the lock of the folder that is there now, not of one that was removed', async () => {
    const folder = storedContainer(root(), 'c1');
    const child = await holder(folder);
    rmSync(folder.path, { recursive: true });
    makeFolder(folder);
    // The old holder holds a file nobody can find any more.
    const lock = lockContainer(folder, { wait: false });
    expect(lock).not.to.equal(undefined);
    expect(isFree(folder)).to.equal(false);
    lock?.release();
    expect(isFree(folder)).to.equal(true);
    child.stdin?.end();
  });

  it('is that also when the folder was removed while we waited', async () => {
    const folder = storedContainer(root(), 'c1');
    const path = join(folder.path, 'lock');
    const script = `echo held
      inode=$(stat -c %i ${path})
      until grep -q -- "-> FLOCK.*:$inode " /proc/locks; do sleep 0.01; done
      rm -r ${folder.path}; mkdir ${folder.path}; : > ${path}`;
    const child = spawn('flock', ['-x', path, 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    helper = child;
    await once(child.stdout, 'data');
    const lock = lockContainer(folder);
    expect(isFree(folder)).to.equal(false);
    lock.release();
    expect(isFree(folder)).to.equal(true);
  });

  it('gives an id to one claimer only', () => {
    const folder = containerFolder(root().path, 'c1');
    const lock = claimFolder(folder);
    const words = 'container with given ID already exists: c1';
    expect(() => claimFolder(folder)).to.throw(TsrunError, words);
    writeRecord(folder, recordOf('c1'));
    lock.release();
    expect(() => claimFolder(folder)).to.throw(TsrunError, words);
    removeFolder(folder);
    const again = claimFolder(folder);
    expect(isFree(folder)).to.equal(false);
    again.release();
  });

  it('claims a broken container’s id for nobody', () => {
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    writeFileSync(join(folder.path, 'state.json'), 'rubbish');
    expect(() => claimFolder(folder)).to.throw('already exists');
  });

  it('takes over a folder that was left before its first record', () => {
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    writeFileSync(join(folder.path, 'lock'), '', { mode: 0o600 });
    writeFileSync(join(folder.path, 'state.json.new'), '{"ver', { mode: 0o600 });
    const lock = claimFolder(folder);
    expect(isFree(folder)).to.equal(false);
    writeRecord(folder, recordOf('c1'));
    lock.release();
    expect(readRecord(folder).id).to.equal('c1');
    expect(readdirSync(folder.path).sort()).to.deep.equal(['lock', 'state.json']);
  });

  it('names what lies in the way', () => {
    const folder = containerFolder(root().path, 'c1');
    writeFileSync(folder.path, '');
    expect(() => claimFolder(folder))
      .to.throw(TsrunError)
      .with.property('code', 'untrusted');
    expect(statSync(folder.path).isFile()).to.equal(true);
  });

  it('leaves an id free as soon as its folder is removed', () => {
    const folder = storedContainer(root(), 'c1');
    const lock = lockContainer(folder);
    removeFolder(folder);
    const next = claimFolder(folder);
    lock.release();
    expect(isFree(folder)).to.equal(false);
    next.release();
    expect(isFree(folder)).to.equal(true);
  });
});
