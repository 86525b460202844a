import { expect } from 'chai';
import type { Hook, Namespace, Process, User } from '../config/types.ts';
import { compileEnvironment } from './environment.ts';
import {
  fullMap,
  names,
  namespaceList,
  onlyOp,
  opsOf,
  planOf,
  planOptions,
  rootFacts,
  userFacts,
} from './testing/fixtures.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan } from './types.ts';
import { hookFlags, slots, syncPoints } from './wire.ts';

function withProcess(processSpec: Partial<Process>, options = planOptions()): Plan {
  return planOf(
    (config) => (config.process = { cwd: '/', args: ['sh'], ...processSpec }),
    rootFacts(),
    options,
  );
}

describe('compileProcess', () => {
  it('gives a process without capabilities none, not even to root', () => {
    const plan = withProcess({});
    expect(onlyOp(plan, 'boundingSet')).to.include({ bounding: 0n, origin: '' });
    expect(onlyOp(plan, 'capabilities')).to.include({
      effective: 0n,
      permitted: 0n,
      inheritable: 0n,
      ambient: 0n,
      origin: '',
    });
  });

  it('keeps the five sets apart', () => {
    const plan = withProcess({
      capabilities: {
        bounding: ['CAP_CHOWN'],
        effective: ['CAP_DAC_OVERRIDE'],
        permitted: ['CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_FOWNER'],
        inheritable: ['CAP_FOWNER', 'CAP_FSETID'],
        ambient: ['CAP_FOWNER'],
      },
    });
    expect(onlyOp(plan, 'boundingSet').bounding).to.equal(1n);
    expect(onlyOp(plan, 'capabilities')).to.include({
      effective: 2n,
      permitted: 0b1110n,
      inheritable: 0b11000n,
      ambient: 8n,
    });
  });

  it('asks the kernel only for what a set can have', () => {
    const plan = withProcess({
      capabilities: { effective: ['CAP_CHOWN'], permitted: ['CAP_KILL'], ambient: ['CAP_KILL', 'CAP_CHOWN'] },
    });
    expect(onlyOp(plan, 'capabilities')).to.include({ effective: 0n, permitted: 32n, ambient: 0n });
  });

  it('leaves names nobody knows to the validation, which warns of them', () => {
    const plan = withProcess({ capabilities: { bounding: ['CAP_KILL', 'CAP_MAGIC'], effective: ['kill'] } });
    expect(plan.warnings).to.deep.equal([]);
    expect(onlyOp(plan, 'boundingSet').bounding).to.equal(1n << 5n);
  });

  it('is root with umask 0022 by default', () => {
    expect(onlyOp(withProcess({}), 'user')).to.deep.equal({
      op: 'user',
      origin: '',
      uid: 0,
      gid: 0,
      groups: [],
      umask: 0o022,
      noGroups: 0,
    });
    const user: User = { uid: 7, gid: 8, umask: 0, additionalGids: [9, 10, 9] };
    expect(onlyOp(withProcess({ user }), 'user')).to.deep.include({
      uid: 7,
      gid: 8,
      umask: 0,
      groups: [9, 10],
      origin: '/process/user',
    });
  });

  it('gains privileges only if it may', () => {
    expect(names(planOf())).to.include('noNewPrivileges');
    expect(names(withProcess({}))).not.to.include('noNewPrivileges');
    expect(names(withProcess({ noNewPrivileges: false }))).not.to.include('noNewPrivileges');
  });

  describe('limits', () => {
    it('are set exactly, as root', () => {
      const plan = withProcess({
        rlimits: [
          { type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n },
          { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 },
        ],
      });
      expect(opsOf(plan, 'rlimit').map(({ resource, soft, hard }) => [resource, soft, hard])).to.deep.equal([
        [4, 0, 18446744073709551615n],
        [7, 1024, 4096],
      ]);
      expect(names(plan).lastIndexOf('rlimit')).to.be.below(names(plan).indexOf('boundingSet'));
    });

    it('are raised before a user namespace takes the right to', () => {
      const rlimits = [{ type: 'RLIMIT_CORE', soft: 1, hard: 2 }];
      const limit = { op: 'raiseHardLimit', origin: '/process/rlimits/0', resource: 4, hard: 2 };
      const planWith = (...namespaces: Namespace[]): Plan =>
        planOf((config) => {
          config.process = { cwd: '/', args: ['sh'], rlimits };
          const maps = namespaces.length === 0 ? {} : { uidMappings: fullMap, gidMappings: fullMap };
          config.linux = { ...maps, namespaces: [...namespaceList('uts', 'mount'), ...namespaces] };
        });
      expect(opsOf(planWith({ type: 'user' }), 'raiseHardLimit')).to.deep.equal([limit]);
      expect(opsOf(planWith({ type: 'user', path: '/ns' }), 'raiseHardLimit')).to.deep.equal([limit]);
      expect(opsOf(planWith(), 'raiseHardLimit')).to.deep.equal([]);
    });

    it('leave the init enough descriptors until the end', () => {
      const limits = (soft: number, hard: number): unknown[] => {
        const plan = withProcess({ rlimits: [{ type: 'RLIMIT_NOFILE', soft, hard }] });
        expect(names(plan).at(-2)).to.equal('rlimit');
        return opsOf(plan, 'rlimit').map((op) => [op.soft, op.hard]);
      };
      expect(limits(3, 5)).to.deep.equal([
        [256, 256],
        [3, 5],
      ]);
      expect(limits(8, 1024)).to.deep.equal([
        [256, 1024],
        [8, 1024],
      ]);
      expect(limits(255, 255)).to.deep.equal([
        [256, 256],
        [255, 255],
      ]);
      const plan = withProcess({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 256, hard: 256 }] });
      expect(opsOf(plan, 'rlimit')).to.have.length(1);
    });

    it('must be known', () => {
      expect(() => withProcess({ rlimits: [{ type: 'RLIMIT_FUN', soft: 1, hard: 1 }] }))
        .to.throw('no such resource limit')
        .with.property('pointer', '/process/rlimits/0/type');
    });
  });

  it('adjusts the OOM score only when the config does', () => {
    expect(names(planOf())).not.to.include('oomScoreAdj');
    const plan = withProcess({ oomScoreAdj: 0 });
    expect(onlyOp(plan, 'oomScoreAdj').value).to.equal(0);
    expect(names(plan)[0]).to.equal('oomScoreAdj');
  });

  it('waits for start, or for the engine that runs it', () => {
    expect(onlyOp(planOf(), 'waitStart').origin).to.equal('');
    const run = withProcess({}, planOptions({ gate: 'engine' }));
    expect(names(run)).not.to.include('waitStart');
    expect(opsOf(run, 'sync').at(-1)?.point).to.equal(syncPoints.ready);
  });

  it('executes args with env and the kept descriptors', () => {
    const plan = withProcess(
      { args: ['/bin/x', '', 'a b'], env: ['A=1'] },
      planOptions({ preserveFds: 3, extraEnv: ['LISTEN_FDS=3'] }),
    );
    expect(onlyOp(plan, 'exec')).to.deep.include({
      args: ['/bin/x', '', 'a b'],
      env: ['A=1', 'LISTEN_FDS=3'],
      preserveFds: 3,
    });
    expect(onlyOp(plan, 'findExecutable')).to.include({
      name: '/bin/x',
      path: '',
      origin: '/process/args/0',
    });
    expect(onlyOp(planOf(), 'findExecutable').path).to.equal('/usr/bin:/bin');
  });

  it('looks up HOME only when env has none', () => {
    expect(names(withProcess({ env: ['HOME=/x'] }))).not.to.include('home');
    for (const env of [['PATH=/bin'], ['HOME='], []]) {
      const plan = withProcess({ env, user: { uid: 12 } });
      expect(onlyOp(plan, 'home')).to.include({ uid: 12, origin: '/process/env' });
      expect(onlyOp(plan, 'exec').env).not.to.include('HOME=');
    }
  });

  it('needs something to run', () => {
    expect(() => withProcess({ args: [] }))
      .to.throw('must name the command to run')
      .with.property('pointer', '/process/args');
    expect(() =>
      planOf((config) => {
        delete config.process;
      }),
    )
      .to.throw('required property is missing')
      .that.includes({ code: 'config', pointer: '/process' });
  });

  describe('groups in a user namespace', () => {
    const plan = (facts: HostFacts, size: number, additionalGids: number[] = []): Plan =>
      planOf((config) => {
        config.process = { cwd: '/', args: ['sh'], user: { additionalGids } };
        config.linux = {
          namespaces: namespaceList('user', 'mount', 'uts'),
          uidMappings: fullMap,
          gidMappings: [{ containerID: 0, hostID: 1000, size }],
        };
      }, facts);
    const noGroups = (made: Plan): number => onlyOp(made, 'user').noGroups;

    it('are left alone where the kernel denies setgroups', () => {
      expect(noGroups(plan(userFacts(), 1))).to.equal(1);
      expect(noGroups(plan(userFacts(), 2))).to.equal(0);
      expect(noGroups(plan(rootFacts(), 1))).to.equal(0);
      expect(noGroups(plan(userFacts({ uid: 0 }), 1))).to.equal(0);
      expect(noGroups(plan(userFacts({ uid: 0, setgroupsDenied: true }), 1))).to.equal(1);
    });

    it('cannot be set there', () => {
      expect(() => plan(userFacts(), 1, [5]))
        .to.throw('setgroups')
        .with.property('pointer', '/process/user/additionalGids');
      expect(onlyOp(plan(userFacts(), 10, [5]), 'user').groups).to.deep.equal([5]);
    });
  });
});

describe('compileEnvironment', () => {
  it('keeps the order, and the last value of a name', () => {
    expect(compileEnvironment(['A=1', 'PATH=/x', 'B=2', 'A=3', 'PATH=/y'], ['B=4', 'C='])).to.deep.equal({
      env: ['A=3', 'PATH=/y', 'B=4', 'C='],
      path: '/y',
      hasHome: false,
    });
    expect(compileEnvironment(['__proto__=1', 'A=b=c'], []).env).to.deep.equal(['__proto__=1', 'A=b=c']);
  });

  it('refuses what is no variable', () => {
    for (const [entry, reason] of [
      ['BROKEN', 'is not of the form NAME=value'],
      ['=x', 'is not of the form NAME=value'],
      ['', 'is not of the form NAME=value'],
      ['A=\0', 'must not contain a NUL'],
    ] as const) {
      expect(() => withProcess({ env: ['OK=1', entry] }), entry)
        .to.throw(reason)
        .with.property('pointer', '/process/env/1');
    }
  });
});

describe('hooks of a plan', () => {
  const kinds = ['createContainer', 'startContainer'] as const;

  it('get arguments, environment, timeout and the state of their moment', () => {
    const plan = planOf((config) => {
      const hook = { path: '/bin/h', args: ['h', 'x'], env: ['K=V'], timeout: 2 };
      config.hooks = { createContainer: [hook, hook], startContainer: [hook] };
    });
    expect(opsOf(plan, 'hook').map(({ origin, stateSlot }) => [origin, stateSlot])).to.deep.equal([
      ['/hooks/createContainer/0', slots.stateCreating],
      ['/hooks/createContainer/1', slots.stateCreating],
      ['/hooks/startContainer/0', slots.stateCreated],
    ]);
    expect(opsOf(plan, 'hook')[0]).to.deep.include({ args: ['h', 'x'], env: ['K=V'], timeoutMs: 2000 });
  });

  it('get their path as argument, and no timeout, by default', () => {
    for (const args of [undefined, []]) {
      const plan = planOf((config) => {
        config.hooks = { startContainer: [{ path: '/bin/h', ...(args === undefined ? {} : { args }) }] };
      });
      expect(onlyOp(plan, 'hook')).to.deep.include({ args: ['/bin/h'], timeoutMs: 0 });
    }
  });

  it("never give the container's environment to a program of the host", () => {
    const hooks = (hook: Hook): unknown[] =>
      opsOf(
        planOf((config) => {
          config.process = { cwd: '/', args: ['sh'], env: ['LD_PRELOAD=/evil.so'] };
          config.hooks = { createContainer: [hook], startContainer: [hook] };
        }),
        'hook',
      ).map(({ env, flags }) => ({ env, flags }));
    const { atRootfs, home } = hookFlags;
    for (const none of [{ path: '/h' }, { path: '/h', env: [] }]) {
      expect(hooks(none)).to.deep.equal([
        { env: [], flags: atRootfs },
        { env: ['LD_PRELOAD=/evil.so'], flags: home },
      ]);
    }
    expect(hooks({ path: '/h', env: ['A=1'] })).to.deep.equal([
      { env: ['A=1'], flags: atRootfs },
      { env: ['A=1'], flags: 0 },
    ]);
  });

  it('need a timeout that can pass', () => {
    for (const kind of kinds) {
      for (const timeout of [0, -1, 1.5]) {
        expect(() => planOf((config) => (config.hooks = { [kind]: [{ path: '/h', timeout }] })))
          .to.throw('must be an integer from 1')
          .with.property('pointer', `/hooks/${kind}/0/timeout`);
      }
    }
  });
});
