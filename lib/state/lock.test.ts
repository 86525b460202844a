import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { lockNewContainer } from './make-container-folder.ts';
import { lockContainer } from './lock.ts';
import { containerFolder, type ContainerFolder } from './folder.ts';
import { makeFolder, readRecord, removeFolder, writeRecord } from './store.ts';
import { lockElsewhere, recordOf, storedContainer, temporaryRoot } from './testing/fixtures.ts';

describe('the lock of a container', () => {
  const root = temporaryRoot();
  let helper: ChildProcess | undefined;

  afterEach(() => {
    helper?.kill('SIGKILL');
    helper = undefined;
  });

  /** Starts another process that holds the lock until its stdin ends. */
  async function startHolder(folder: ContainerFolder, script = 'read x'): Promise<ChildProcess> {
    return (helper = await lockElsewhere(folder, script));
  }

  /** Asks in another process whether the lock is free. */
  const isFree = (folder: ContainerFolder): boolean => {
    const { status } = spawnSync('flock', ['-n', '-E', '9', join(folder.path, 'lock'), 'true']);
    expect(status).to.be.oneOf([0, 9]);
    return status === 0;
  };

  it('is held by one at a time, over processes', async () => {
    const folder = storedContainer(root(), 'c1');
    const child = await startHolder(folder);
    expect(lockContainer(folder, { wait: false })).to.equal(undefined);
    child.stdin?.end();
    await once(child, 'exit');
    const lock = lockContainer(folder, { wait: false });
    expect(lock).not.to.equal(undefined);
    expect(lockContainer(folder, { wait: false })).to.equal(undefined);
    expect(isFree(folder)).to.equal(false);
    lock?.release();
    expect(isFree(folder)).to.equal(true);
    // A second release must not close a descriptor that has the same number by now.
    const next = lockContainer(folder);
    lock?.release();
    expect(isFree(folder)).to.equal(false);
    next.release();
    expect(isFree(folder)).to.equal(true);
  });

  it('is released when its holder is killed', async () => {
    const folder = storedContainer(root(), 'c1');
    const child = await startHolder(folder);
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

  it('of a container that does not exist cannot be taken, and no folder is made for it', () => {
    const folder = containerFolder(root().path, 'nobody');
    expect(() => lockContainer(folder))
      .to.throw(TsrunError)
      .with.property('code', 'not-found');
    expect(existsSync(folder.path)).to.equal(false);
  });

  it('is taken in the folder of that name now, not in one that was removed', async () => {
    const folder = storedContainer(root(), 'c1');
    const child = await startHolder(folder);
    rmSync(folder.path, { recursive: true });
    makeFolder(folder);
    // The other process holds the lock of the removed folder.
    const lock = lockContainer(folder, { wait: false });
    expect(lock).not.to.equal(undefined);
    expect(isFree(folder)).to.equal(false);
    lock?.release();
    expect(isFree(folder)).to.equal(true);
    child.stdin?.end();
  });

  it('is taken in the new folder when the folder was replaced while lockContainer waited', async () => {
    const folder = storedContainer(root(), 'c1');
    const path = join(folder.path, 'lock');
    await startHolder(folder, `waiting; rm -r ${folder.path}; mkdir ${folder.path}; : > ${path}`);
    const lock = lockContainer(folder);
    expect(isFree(folder)).to.equal(false);
    lock.release();
    expect(isFree(folder)).to.equal(true);
  });

  it('of a new container is given to one caller only', () => {
    const folder = containerFolder(root().path, 'c1');
    const lock = lockNewContainer(folder);
    const words = 'container with given ID already exists: c1';
    expect(() => lockNewContainer(folder)).to.throw(TsrunError, words);
    writeRecord(folder, recordOf('c1'));
    lock.release();
    expect(() => lockNewContainer(folder)).to.throw(TsrunError, words);
    removeFolder(folder);
    const again = lockNewContainer(folder);
    expect(isFree(folder)).to.equal(false);
    again.release();
  });

  it('of a new container is not given for the id of a broken one', () => {
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    writeFileSync(join(folder.path, 'state.json'), 'rubbish');
    expect(() => lockNewContainer(folder)).to.throw('already exists');
  });

  it('of a new container is taken in a folder that was left before its first record', () => {
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    writeFileSync(join(folder.path, 'lock'), '', { mode: 0o600 });
    writeFileSync(join(folder.path, 'state.json.new'), '{"ver', { mode: 0o600 });
    const lock = lockNewContainer(folder);
    expect(isFree(folder)).to.equal(false);
    writeRecord(folder, recordOf('c1'));
    lock.release();
    expect(readRecord(folder).id).to.equal('c1');
    expect(readdirSync(folder.path).sort()).to.deep.equal(['lock', 'state.json']);
  });

  it('of a new container cannot be taken where a file has its id', () => {
    const folder = containerFolder(root().path, 'c1');
    writeFileSync(folder.path, '');
    expect(() => lockNewContainer(folder))
      .to.throw(TsrunError)
      .with.property('code', 'untrusted');
    expect(statSync(folder.path).isFile()).to.equal(true);
  });

  it('of a new container can be taken as soon as the old folder is removed', () => {
    const folder = storedContainer(root(), 'c1');
    const lock = lockContainer(folder);
    removeFolder(folder);
    const next = lockNewContainer(folder);
    lock.release();
    expect(isFree(folder)).to.equal(false);
    next.release();
    expect(isFree(folder)).to.equal(true);
  });
});
