import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { containerProcesses, recordOf, storedContainer, temporaryRoot } from '../state/testing/fixtures.ts';
import { listContainers } from './list.ts';
import { containerState, stateOf } from './state.ts';

describe('the list of containers', () => {
  const root = temporaryRoot();
  const startProcess = containerProcesses();

  it('is sorted by id, and has the errors of broken containers', async () => {
    const { init } = await startProcess();
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
});

describe('the state of a container', () => {
  const root = temporaryRoot();

  it('has the keys of runc in its order, and no owner', () => {
    storedContainer(root(), 'c1', { annotations: { a: 'b' } });
    const state = containerState(root(), 'c1');
    expect(Object.keys(state).join(' ')).to.equal(
      'ociVersion id pid status bundle rootfs created annotations owner',
    );
    expect(state).to.include({ pid: 0, status: 'stopped', owner: '' });
  });

  it('has the pid of a container that has not stopped, and 0 before it has one', () => {
    const record = recordOf('c1', { init: { pid: 7, startTime: 1 } });
    expect(stateOf({ record, status: 'created' }, '').pid).to.equal(7);
    delete record.init;
    expect(stateOf({ record, status: 'creating' }, 'root')).to.include({ pid: 0, owner: 'root' });
  });
});
