import { expect } from 'chai';
import type { Process } from '../config/types.ts';
import { changeProcess, inheritProcess, type ProcessChanges } from './exec-process-changes.ts';

const none: ProcessChanges = {
  args: [],
  env: [],
  terminal: false,
  additionalGids: [],
  capabilities: [],
  noNewPrivileges: false,
};

describe('the changes of exec to a process', () => {
  it('add to lists and name the flag of each change', () => {
    const base: Process = { cwd: '/', args: ['sh'], env: ['A=1'], user: { uid: 1, additionalGids: [5] } };
    const { process: processSpec, changedBy } = changeProcess(base, {
      ...none,
      args: ['id'],
      env: ['B=2'],
      user: { uid: 7 },
      additionalGids: [6],
    });
    expect(processSpec).to.deep.equal({
      cwd: '/',
      args: ['id'],
      env: ['A=1', 'B=2'],
      user: { uid: 7, additionalGids: [5, 6] },
    });
    expect([...changedBy]).to.deep.equal([
      ['/process/args', ''],
      ['/process/env/1', '--env'],
      ['/process/user/uid', '--user'],
      ['/process/user/additionalGids', '--additional-gids'],
    ]);
    expect(base.env).to.deep.equal(['A=1']);
  });

  it('make no added capability inheritable, and one ambient only where it is inheritable already', () => {
    const base: Process = { cwd: '/', capabilities: { bounding: ['CAP_KILL'], inheritable: ['CAP_CHOWN'] } };
    const { process: processSpec } = changeProcess(base, {
      ...none,
      capabilities: ['CAP_CHOWN', 'CAP_FOWNER'],
    });
    expect(processSpec.capabilities).to.deep.equal({
      bounding: ['CAP_KILL', 'CAP_CHOWN', 'CAP_FOWNER'],
      effective: ['CAP_CHOWN', 'CAP_FOWNER'],
      permitted: ['CAP_CHOWN', 'CAP_FOWNER'],
      inheritable: ['CAP_CHOWN'],
      ambient: ['CAP_CHOWN'],
    });
  });

  it('leave malformed parts of a process file as they are, for the validation to refuse', () => {
    const changes = {
      ...none,
      env: ['B=2'],
      user: { uid: 7 },
      additionalGids: [6],
      capabilities: ['CAP_KILL'],
    };
    for (const malformed of [5, 'text', true]) {
      const base = { cwd: '/', env: malformed, user: malformed, capabilities: malformed };
      const { process: processSpec } = changeProcess(base as unknown as Process, changes);
      expect(processSpec).to.deep.equal(base);
      const lists = { cwd: '/', user: { additionalGids: malformed }, capabilities: { bounding: malformed } };
      const changed = changeProcess(lists as unknown as Process, changes).process;
      expect(changed.user?.additionalGids).to.equal(malformed);
      expect(changed.capabilities?.bounding).to.equal(malformed);
    }
  });
});

describe('the process of a file', () => {
  it('has the restrictions of the container where it names none', () => {
    const container: Process = { cwd: '/', apparmorProfile: 'own', oomScoreAdj: 5, rlimits: [] };
    const file = { cwd: '/x', apparmorProfile: null, oomScoreAdj: 7 } as unknown as Process;
    const { process: processSpec, inherited } = inheritProcess(file, container);
    expect(processSpec).to.deep.equal({ cwd: '/x', apparmorProfile: 'own', oomScoreAdj: 7 });
    expect([...inherited]).to.deep.equal(['apparmorProfile']);
  });
});
