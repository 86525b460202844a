import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { containerProcesses, storedContainer, temporaryRoot } from '../state/testing/fixtures.ts';
import { silentSink } from '../testing/sink.ts';
import { start } from './start.ts';

describe('start', () => {
  const root = temporaryRoot();
  const startProcess = containerProcesses();

  it('refuses a container that does not wait for it', async () => {
    const { init } = await startProcess();
    storedContainer(root(), 'running', { init });
    storedContainer(root(), 'stopped');
    const reasons = {
      running: 'cannot start an already running container',
      stopped: 'cannot start a container that has stopped',
      nobody: 'container "nobody" does not exist',
    };
    for (const [id, reason] of Object.entries(reasons)) {
      expect(() => {
        start({ root: root(), id, log: silentSink });
      }).to.throw(TsrunError, reason);
    }
  });
});
