import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { containerProcesses, storedContainer, temporaryRoot } from '../state/testing/fixtures.ts';
import { killContainer } from './kill.ts';

describe('kill', () => {
  const root = temporaryRoot();
  const startProcess = containerProcesses();

  it('sends a signal to a container that runs, and to no other process with its pid', async () => {
    const { init, ended } = await startProcess();
    storedContainer(root(), 'old', { init: { ...init, startTime: init.startTime - 1 } });
    expect(() => {
      killContainer({ root: root(), id: 'old', signal: 9 });
    }).to.throw(TsrunError, 'container not running: old is stopped');
    storedContainer(root(), 'c1', { init });
    killContainer({ root: root(), id: 'c1', signal: 0 });
    killContainer({ root: root(), id: 'c1', signal: 15 });
    expect(await ended).to.deep.equal([null, 'SIGTERM']);
  });

  it('of all processes does not fail for a container that has stopped', () => {
    storedContainer(root(), 'c1');
    killContainer({ root: root(), id: 'c1', signal: 9, all: true });
  });
});
