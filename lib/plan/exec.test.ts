import { expect } from 'chai';
import { namespaces } from '../config/namespaces.ts';
import type { Config, Process } from '../config/types.ts';
import { compileExec, type ExecOptions } from './exec.ts';
import { names, onlyOp, opsOf, rootFacts, usualConfig, userFacts } from './testing/fixtures.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan } from './types.ts';
import { type OpName, rootModes, wireOps } from './wire.ts';

const everything: ExecOptions = {
  containerId: 'c1',
  rootfs: '/b/rootfs',
  noNewKeyring: false,
  preserveFds: 2,
  cgroupTasks: ['/cg/cpu/tasks', '/cg/pids/tasks'],
  cloneIntoCgroup: true,
  extraEnv: ['LISTEN_FDS=1'],
  namespaces: ['pid', 'mount', 'uts', 'cgroup', 'user'],
};

const program: Process = { cwd: '/work', args: ['sh'], env: ['PATH=/bin'], oomScoreAdj: 5 };

function planFor(
  processSpec: Partial<Process> = {},
  options: Partial<ExecOptions> = {},
  facts: HostFacts = rootFacts(),
  change: (config: Config) => void = () => undefined,
): Plan {
  const config = usualConfig();
  change(config);
  return compileExec(config, { ...program, ...processSpec }, facts, { ...everything, ...options });
}

describe('the plan of exec', () => {
  it("joins the cgroups, then the container, gives up what is the host's, and clones last", () => {
    const order: OpName[] = [
      ...(['affinity', 'cloneIntoCgroup', 'oomScoreAdj', 'openCgroup', 'openCgroup'] as const),
      ...(['joinCgroup', 'joinCgroup', 'affinity', 'enterContainer', 'enterContainer', 'keyring'] as const),
      ...(['workingDirectory', 'home', 'usePipes', 'closeHostDescriptors'] as const),
      ...(['boundingSet', 'user', 'capabilities', 'findExecutable'] as const),
      ...(['cloneVisible', 'newSession', 'sync', 'exec'] as const),
    ];
    expect(names(planFor({ execCPUAffinity: { initial: '0', final: '1' } }))).to.deep.equal(order);
  });

  it('runs on every CPU of the cgroup unless it is told others', () => {
    expect(opsOf(planFor(), 'affinity').map(({ cpus }) => cpus.length)).to.deep.equal([0]);
    const bound = opsOf(planFor({ execCPUAffinity: { initial: '0', final: '1' } }), 'affinity');
    expect(bound.map(({ cpus }) => cpus[0])).to.deep.equal([1, 2]);
  });

  it('joins the user namespace last as root, with the others as somebody else', () => {
    const flags = (facts: HostFacts): number[] =>
      opsOf(planFor({}, {}, facts), 'enterContainer').map((op) => Number(op.flags));
    const { pid, mount, uts, cgroup, user } = namespaces;
    const others = pid.flag + mount.flag + uts.flag + cgroup.flag;
    expect(flags(rootFacts())).to.deep.equal([others, user.flag]);
    expect(flags(userFacts({ uid: 0 }))).to.deep.equal([others, user.flag]);
    expect(flags(userFacts())).to.deep.equal([others + user.flag]);
    expect(opsOf(planFor({}, { namespaces: [] }), 'enterContainer').map((op) => op.flags)).to.deep.equal([0]);
  });

  it('does without what it is not given', () => {
    const order = names(planFor({}, { noNewKeyring: true, cgroupTasks: [], cloneIntoCgroup: false }));
    for (const name of ['keyring', 'openCgroup', 'joinCgroup', 'cloneIntoCgroup'] as const)
      expect(order).not.to.include(name);
  });

  it('makes its terminal that of its session, and takes it from the container', () => {
    const order = names(planFor({ terminal: true }));
    const tail = ['cloneVisible', 'newSession', 'controllingTerminal', 'sync', 'exec'];
    expect(order.slice(-5)).to.deep.equal(tail);
    expect(onlyOp(planFor({ terminal: true }), 'rootfs').path).to.equal('/');
    expect(onlyOp(planFor({ terminal: true }), 'console').mount).to.equal(0);
  });

  it('changes its root where the container has no mounts of its own', () => {
    const shared = (config: Config): void => {
      config.linux = { namespaces: [{ type: 'pid' }] };
      delete config.mounts;
    };
    const plan = planFor({}, {}, rootFacts(), shared);
    const order = names(plan);
    expect(onlyOp(plan, 'rootfs').path).to.equal('/b/rootfs');
    expect(order.indexOf('enterRoot')).to.be.within(order.indexOf('rootfs'), order.indexOf('cloneVisible'));
    expect(names(planFor())).not.to.include('enterRoot');
  });

  it('says which property each operation comes from', () => {
    const shared = (config: Config): void => {
      config.linux = { namespaces: [{ type: 'pid' }] };
      delete config.mounts;
    };
    const origins = (plan: Plan): string[] =>
      plan.ops
        .map(({ op, origin }) => `${op} ${origin}`)
        .filter((text) => /^(enterContainer|keyring|rootfs|enterRoot|workingDirectory) /.test(text));
    expect(origins(planFor({ terminal: true }))).to.deep.equal([
      ...['enterContainer ', 'enterContainer ', 'keyring ', 'rootfs ', 'workingDirectory /process/cwd'],
    ]);
    expect(origins(planFor({}, { namespaces: ['pid'] }, rootFacts(), shared))).to.deep.equal([
      ...['enterContainer ', 'keyring ', 'rootfs /root/path', 'enterRoot /root/path'],
      'workingDirectory /process/cwd',
    ]);
    expect(onlyOp(planFor({}, {}, rootFacts(), shared), 'enterRoot').mode).to.equal(rootModes.chroot);
  });

  it('is made of operations alone, whatever is left out', () => {
    for (const facts of [rootFacts(), userFacts()])
      for (const options of [{}, { noNewKeyring: true, namespaces: [] }])
        for (const terminal of [true, false])
          for (const { op } of planFor({ terminal }, options, facts).ops)
            expect(wireOps).to.have.property(op);
  });

  it('runs no hooks, makes no directory, and hands on what it was given', () => {
    const hooks = (config: Config): void => {
      config.hooks = { startContainer: [{ path: '/h' }], createContainer: [{ path: '/h' }] };
    };
    const plan = planFor({}, {}, rootFacts(), hooks);
    expect(names(plan)).not.to.include('hook');
    expect(onlyOp(plan, 'workingDirectory')).to.include({ path: '/work', create: 0 });
    expect(onlyOp(plan, 'exec')).to.deep.include({ args: ['sh'], preserveFds: 2 });
    expect(onlyOp(plan, 'exec').env).to.include('LISTEN_FDS=1');
    expect(onlyOp(plan, 'keyring').name).to.equal('_ses.c1');
  });
});
