import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { processStartTime } from '../host/proc.ts';
import type { Sink } from '../core/finding.ts';
import { keepWarnings, silentSink } from '../testing/sink.ts';
import { deleteContainer } from './delete.ts';
import { killContainer } from './kill.ts';
import { listContainers } from '../report/list.ts';
import type { ProcessRef } from '../state/record.ts';
import { start } from './start.ts';
import { containerState } from '../report/state.ts';
import { containerFolder } from '../state/folder.ts';
import { makeFolder, writeConfig } from '../state/store.ts';
import { recordOf, storedContainer, temporaryRoot } from '../state/testing/fixtures.ts';

describe('containers in the store', () => {
  const root = temporaryRoot();
  const running: ReturnType<typeof spawn>[] = [];

  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  /** A process that stands for a container's. */
  async function sleeper(): Promise<{ init: ProcessRef; ended: Promise<unknown> }> {
    const child = spawn('sleep', ['100']);
    running.push(child);
    const ended = once(child, 'exit');
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    return { init: { pid, startTime: processStartTime(pid) ?? 0 }, ended };
  }

  const remove = (id: string, force = false, log: Sink = silentSink): void => {
    deleteContainer({ root: root(), id, force, log });
  };

  const failure = async (run: () => unknown): Promise<TsrunError> => {
    try {
      await run();
    } catch (error) {
      if (error instanceof TsrunError) return error;
      throw error;
    }
    throw new Error('nothing has failed');
  };

  it('are deleted once they have stopped', () => {
    const folder = storedContainer(root(), 'c1');
    remove('c1');
    expect(existsSync(folder.path)).to.equal(false);
  });

  it('are deleted while they run only by force, and killed for it', async () => {
    const { init, ended } = await sleeper();
    const folder = storedContainer(root(), 'c1', { init });
    const error = await failure(() => {
      remove('c1');
    });
    expect(error.message).to.equal('cannot delete container c1 that is not stopped: running');
    expect(existsSync(folder.path)).to.equal(true);
    remove('c1', true);
    expect(existsSync(folder.path)).to.equal(false);
    expect(await ended).to.deep.equal([null, 'SIGKILL']);
  });

  it('that do not exist are deleted by force only', async () => {
    expect(
      (
        await failure(() => {
          remove('c1');
        })
      ).message,
    ).to.equal('container "c1" does not exist');
    remove('c1', true);
  });

  it('never include a folder outside, whatever the id says', async () => {
    for (const id of ['../x', '..', '.', '', 'a/b', 'a\0b']) {
      const error = await failure(() => {
        remove(id, true);
      });
      expect(error.message, id).to.match(/^invalid container ID format/);
    }
  });

  it('that are broken are deleted by force only, with a warning', async () => {
    const folder = storedContainer(root(), 'c1');
    // Without a config nothing had been made.
    writeFileSync(join(folder.path, 'state.json'), 'rubbish');
    expect(
      (
        await failure(() => {
          remove('c1');
        })
      ).code,
    ).to.equal('corrupt');
    const log = keepWarnings();
    remove('c1', true, log);
    expect(existsSync(folder.path)).to.equal(false);
    expect(log.warnings.map(({ reason }) => reason).join()).to.match(
      /is broken.*what could be found of it is removed/,
    );
  });

  it('that are broken stay when they may still run and nothing of them is found', async () => {
    const folder = storedContainer(root(), 'c1');
    writeConfig(folder, '{}');
    for (const text of ['', '{"version":1', undefined]) {
      if (text === undefined) unlinkSync(join(folder.path, 'state.json'));
      else writeFileSync(join(folder.path, 'state.json'), text);
      const error = await failure(() => {
        remove('c1', true);
      });
      expect(error.message).to.match(/is broken.*no cgroup is marked as its own: it may still run/);
      expect(readdirSync(folder.path)).to.include('config.json');
    }
  });

  it('of a newer tsrun are never deleted', async () => {
    const folder = storedContainer(root(), 'c1');
    writeFileSync(join(folder.path, 'state.json'), JSON.stringify({ ...recordOf('c1'), version: 2 }));
    for (const force of [false, true]) {
      expect(
        (
          await failure(() => {
            remove('c1', force);
          })
        ).message,
      ).to.match(/written by a newer tsrun/);
    }
    expect(existsSync(join(folder.path, 'state.json'))).to.equal(true);
  });

  it('and what is left of them before their first record are deleted by force', () => {
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    remove('c1', true);
    expect(existsSync(folder.path)).to.equal(false);
  });

  it('are listed, and a broken one hides no other', async () => {
    const { init } = await sleeper();
    storedContainer(root(), 'b', { init, owner: 0 });
    storedContainer(root(), 'c', { owner: 4_000_000_000 });
    const broken = storedContainer(root(), 'a');
    writeFileSync(join(broken.path, 'state.json'), '{');
    const listing = listContainers(root());
    expect(listing.containers.map(({ id, status, owner, pid }) => [id, status, owner, pid])).to.deep.equal([
      ['b', 'running', 'root', init.pid],
      ['c', 'stopped', '#4000000000', 0],
    ]);
    expect(listing.broken.map(({ message }) => message).join()).to.match(/container "a" is broken/);
  });

  it('show their state with the keys in runc’s order', () => {
    storedContainer(root(), 'c1', { annotations: { a: 'b' } });
    const state = containerState(root(), 'c1');
    expect(Object.keys(state).join(' ')).to.equal(
      'ociVersion id pid status bundle rootfs created annotations owner',
    );
    expect(state).to.include({ pid: 0, status: 'stopped', owner: '' });
  });

  it('get signals while they run, and none goes to another process with their pid', async () => {
    const { init, ended } = await sleeper();
    storedContainer(root(), 'old', { init: { ...init, startTime: init.startTime - 1 } });
    const error = await failure(() => {
      killContainer({ root: root(), id: 'old', signal: 9 });
    });
    expect(error.message).to.equal('container not running: old is stopped');
    storedContainer(root(), 'c1', { init });
    killContainer({ root: root(), id: 'c1', signal: 0 });
    killContainer({ root: root(), id: 'c1', signal: 15 });
    expect(await ended).to.deep.equal([null, 'SIGTERM']);
  });

  it('leave no group of Intel RDT', () => {
    const directory = join(root().path, '@class');
    const monitor = join(directory, '@monitor');
    mkdirSync(monitor, { recursive: true });
    storedContainer(root(), 'shared', { resctrl: { directory, ownsClass: false, monitor } });
    remove('shared');
    expect(readdirSync(directory)).to.deep.equal([]);
    storedContainer(root(), 'own', { resctrl: { directory, ownsClass: true } });
    remove('own');
    expect(existsSync(directory)).to.equal(false);
  });

  it('that have begun to run while delete waited for them are not deleted', async () => {
    const { init, ended } = await sleeper();
    const folder = storedContainer(root(), 'c1');
    const lock = join(folder.path, 'lock');
    const next = join(root().path, '@next');
    writeFileSync(next, JSON.stringify(recordOf('c1', { init })), { mode: 0o600 });
    const script = `echo held
      inode=$(stat -c %i ${lock})
      until grep -q -- "-> FLOCK.*:$inode " /proc/locks; do sleep 0.01; done
      mv ${next} ${join(folder.path, 'state.json')}`;
    const holder = spawn('flock', ['-x', lock, 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(holder);
    await once(holder.stdout, 'data');
    const error = await failure(() => {
      remove('c1');
    });
    expect(error.message).to.equal('cannot delete container c1 that is not stopped: running');
    expect(existsSync(join(folder.path, 'state.json'))).to.equal(true);
    remove('c1', true);
    await ended;
  });

  it('are started only when they wait for it', async () => {
    const { init } = await sleeper();
    storedContainer(root(), 'running', { init });
    storedContainer(root(), 'stopped');
    const begin = (id: string): Promise<TsrunError> =>
      failure(() => {
        start({ root: root(), id, log: silentSink });
      });
    expect((await begin('running')).message).to.equal('cannot start an already running container');
    expect((await begin('stopped')).message).to.equal('cannot start a container that has stopped');
    expect((await begin('nobody')).message).to.equal('container "nobody" does not exist');
  });
});
