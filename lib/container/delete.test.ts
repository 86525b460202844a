import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Sink } from '../core/finding.ts';
import { keepWarnings, silentSink } from '../testing/sink.ts';
import { deleteContainer, deleteUnlessReplaced } from './delete.ts';
import { containerFolder } from '../state/folder.ts';
import { makeFolder, readRecord, writeConfig, writeRecord } from '../state/store.ts';
import {
  containerProcesses,
  lockElsewhere,
  recordOf,
  storedContainer,
  temporaryRoot,
} from '../state/testing/fixtures.ts';

describe('delete', () => {
  const root = temporaryRoot();
  const startProcess = containerProcesses();

  const remove =
    (id: string, force = false, log: Sink = silentSink) =>
    (): void => {
      deleteContainer({ root: root(), id, force, log });
    };

  it('removes a container that has stopped', () => {
    const folder = storedContainer(root(), 'c1');
    remove('c1')();
    expect(existsSync(folder.path)).to.equal(false);
  });

  it('kills and removes a container that runs by force only', async () => {
    const { init, ended } = await startProcess();
    const folder = storedContainer(root(), 'c1', { init });
    expect(remove('c1')).to.throw(TsrunError, 'cannot delete container c1 that is not stopped: running');
    expect(existsSync(folder.path)).to.equal(true);
    remove('c1', true)();
    expect(existsSync(folder.path)).to.equal(false);
    expect(await ended).to.deep.equal([null, 'SIGKILL']);
  });

  it('fails without a container, but not by force', () => {
    expect(remove('c1')).to.throw(TsrunError, 'container "c1" does not exist');
    remove('c1', true)();
  });

  it('removes no folder outside of the state root, whatever the id says', () => {
    for (const id of ['../x', '..', '.', '', 'a/b', 'a\0b']) {
      expect(remove(id, true), id).to.throw(TsrunError, /^invalid container ID format/);
    }
  });

  it('removes a broken container without a config by force only, with a warning', () => {
    const folder = storedContainer(root(), 'c1');
    writeFileSync(join(folder.path, 'state.json'), 'rubbish');
    expect(remove('c1')).to.throw(TsrunError).with.property('code', 'corrupt');
    const log = keepWarnings();
    remove('c1', true, log)();
    expect(existsSync(folder.path)).to.equal(false);
    expect(log.warnings.map(({ reason }) => reason).join()).to.match(
      /is broken.*what could be found of it is removed/,
    );
  });

  it('leaves a broken container that may run and whose processes cannot be found', () => {
    const folder = storedContainer(root(), 'c1');
    writeConfig(folder, '{}');
    for (const text of ['', '{"version":1', undefined]) {
      if (text === undefined) unlinkSync(join(folder.path, 'state.json'));
      else writeFileSync(join(folder.path, 'state.json'), text);
      expect(remove('c1', true)).to.throw(
        TsrunError,
        /is broken.*no cgroup is marked as its own: it may still run/,
      );
      expect(readdirSync(folder.path)).to.include('config.json');
    }
  });

  it('never removes a container of a newer tsrun', () => {
    const folder = storedContainer(root(), 'c1');
    writeFileSync(join(folder.path, 'state.json'), JSON.stringify({ ...recordOf('c1'), version: 2 }));
    for (const force of [false, true]) {
      expect(remove('c1', force)).to.throw(TsrunError, /written by a newer tsrun/);
    }
    expect(existsSync(join(folder.path, 'state.json'))).to.equal(true);
  });

  it('removes by force the folder that a `create` has left before its first record', () => {
    const folder = containerFolder(root().path, 'c1');
    makeFolder(folder);
    remove('c1', true)();
    expect(existsSync(folder.path)).to.equal(false);
  });

  it('removes the groups of Intel RDT that are the container’s own', () => {
    const directory = join(root().path, '@class');
    const monitor = join(directory, '@monitor');
    mkdirSync(monitor, { recursive: true });
    storedContainer(root(), 'shared', { resctrl: { directory, ownsClass: false, monitor } });
    remove('shared')();
    expect(readdirSync(directory)).to.deep.equal([]);
    storedContainer(root(), 'own', { resctrl: { directory, ownsClass: true } });
    remove('own')();
    expect(existsSync(directory)).to.equal(false);
  });

  it('leaves a container that was started while it waited for the lock', async () => {
    const { init, ended } = await startProcess();
    const folder = storedContainer(root(), 'c1');
    const next = join(root().path, '@next');
    writeFileSync(next, JSON.stringify(recordOf('c1', { init })), { mode: 0o600 });
    await lockElsewhere(folder, `waiting; mv ${next} ${join(folder.path, 'state.json')}`);
    expect(remove('c1')).to.throw(TsrunError, 'cannot delete container c1 that is not stopped: running');
    expect(existsSync(join(folder.path, 'state.json'))).to.equal(true);
    remove('c1', true)();
    await ended;
  });

  it('does not wait for a command that holds the lock of a container that runs', async () => {
    const { init } = await startProcess();
    const folder = storedContainer(root(), 'c1', { init });
    const holder = await lockElsewhere(folder, 'read x');
    expect(remove('c1')).to.throw(TsrunError, 'that is not stopped: running');
    holder.stdin?.end();
    await once(holder, 'exit');
  });

  it('kills by force the process for which the holder of the lock waits', async () => {
    const { init, ended } = await startProcess();
    const folder = storedContainer(root(), 'c1', { init });
    await lockElsewhere(
      folder,
      `while grep -qs '^State:.[^Z]' /proc/${init.pid}/status; do sleep 0.01; done`,
    );
    remove('c1', true)();
    expect(existsSync(folder.path)).to.equal(false);
    expect(await ended).to.deep.equal([null, 'SIGKILL']);
  });

  it('of a container that `run` has made leaves another one that has its id by now', () => {
    const folder = storedContainer(root(), 'c1');
    const mine = readRecord(folder);
    writeRecord(folder, { ...mine, created: '2026-11-22T00:00:00Z' });
    deleteUnlessReplaced(folder, mine, () => undefined);
    expect(existsSync(folder.path)).to.equal(true);
    deleteUnlessReplaced(folder, readRecord(folder), () => undefined);
    expect(existsSync(folder.path)).to.equal(false);
    deleteUnlessReplaced(folder, mine, () => undefined);
  });
});
