import { expect } from 'chai';
import type { Config } from '../config/types.ts';
import { compile } from './compile.ts';
import {
  fullMap,
  layouts,
  names,
  namespaceList,
  onlyOp,
  opsOf,
  planOf,
  planOptions,
  rootFacts,
  userFacts,
  warningsOf,
  usualConfig,
} from './testing/fixtures.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan, PlanOptions } from './types.ts';
import { type Op, type OpName, rootModes, slots, syncPoints, wireOps } from './wire.ts';

interface Variant {
  name: string;
  change: (config: Config) => unknown;
  facts?: HostFacts;
  options?: PlanOptions;
}

const hook = { path: '/bin/hook', args: ['hook'] };

function withUserNamespace(config: Config): void {
  config.linux = {
    ...config.linux,
    namespaces: namespaceList('user', 'pid', 'network', 'ipc', 'uts', 'mount', 'cgroup', 'time'),
    uidMappings: fullMap,
    gidMappings: fullMap,
    timeOffsets: { monotonic: { secs: 5 } },
    devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229 }],
  };
}

function withEverything(config: Config): void {
  const processSpec = config.process ?? { cwd: '/' };
  config.process = {
    ...processSpec,
    terminal: true,
    oomScoreAdj: 100,
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }],
  };
  config.domainname = 'example';
  config.hooks = {
    prestart: [hook],
    createRuntime: [hook],
    createContainer: [hook],
    startContainer: [hook],
    poststop: [hook],
  };
  config.linux = {
    ...config.linux,
    rootfsPropagation: 'rshared',
    sysctl: { 'net.ipv4.ip_forward': '1' },
    devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229 }],
  };
  config.mounts?.push(
    { destination: '/run', type: 'tmpfs', options: ['ro', 'tmpcopyup'] },
    {
      destination: '/mapped',
      type: 'bind',
      source: '/srv/m',
      options: ['rbind'],
      uidMappings: fullMap,
      gidMappings: fullMap,
    },
  );
}

/** What confines and tunes the process, on a host that has it all. */
function withRestrictions(config: Config): void {
  config.process = {
    ...config.process,
    cwd: '/',
    apparmorProfile: 'box',
    selinuxLabel: 'u:r:t:s0',
    scheduler: { policy: 'SCHED_BATCH', nice: 3 },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 5 },
  };
  config.linux = {
    ...config.linux,
    seccomp: { defaultAction: 'SCMP_ACT_ALLOW' },
    mountLabel: 'u:o:f:s0',
    personality: { domain: 'LINUX32' },
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0' },
  };
}

const filter = { program: new Uint8Array(16), flags: 4, notify: false };
const secureFacts = rootFacts({
  apparmor: true,
  filesystems: new Set([...rootFacts().filesystems, 'selinuxfs']),
});

function joinPidNamespace(config: Config): void {
  const others = (config.linux?.namespaces ?? []).filter(({ type }) => type !== 'pid');
  config.linux = { ...config.linux, namespaces: [...others, { type: 'pid', path: '/ns/pid' }] };
}

/** Many kinds of container; every invariant must hold for each. */
const variants: Variant[] = [
  { name: 'usual', change: () => undefined },
  { name: 'everything', change: withEverything },
  { name: 'run', change: withEverything, options: planOptions({ gate: 'engine' }) },
  { name: 'no pivot', change: withEverything, options: planOptions({ noPivot: true, noNewKeyring: true }) },
  { name: 'user namespace', change: withUserNamespace },
  {
    name: 'everything in a user namespace',
    change: (config) => {
      withEverything(config);
      withUserNamespace(config);
    },
  },
  { name: 'rootless', change: withUserNamespace, facts: userFacts() },
  { name: 'inside a user namespace', change: () => undefined, facts: userFacts({ uid: 0, gid: 0 }) },
  {
    name: 'joined',
    change: (config) => {
      withUserNamespace(config);
      config.linux = {
        ...config.linux,
        namespaces: (config.linux?.namespaces ?? []).map(({ type }) => ({ type, path: `/ns/${type}` })),
      };
      // Those of a joined namespace cannot be set.
      delete config.linux.timeOffsets;
    },
  },
  {
    name: 'in a joined pid namespace',
    change: (config) => {
      withEverything(config);
      joinPidNamespace(config);
    },
    options: planOptions({ cloneIntoCgroup: true }),
  },
  ...(['start', 'engine'] as const).map((gate): Variant => ({
    name: `restricted, in a joined pid namespace, ${gate}`,
    change: (config) => {
      withRestrictions(config);
      joinPidNamespace(config);
    },
    facts: secureFacts,
    options: planOptions({ gate, seccomp: filter }),
  })),
  {
    name: 'no namespaces',
    change: (config) => {
      config.linux = {};
      delete config.hostname;
      config.root = { path: 'rootfs' };
    },
  },
  ...(['start', 'engine'] as const).flatMap((gate): Variant[] => [
    {
      name: `restricted, ${gate}`,
      change: withRestrictions,
      facts: secureFacts,
      options: planOptions({ gate, seccomp: filter }),
    },
    {
      name: `restricted, with an agent, ${gate}`,
      change: withRestrictions,
      facts: secureFacts,
      options: planOptions({ gate, seccomp: { ...filter, notify: true } }),
    },
    {
      name: `restricted, with everything and new privileges, ${gate}`,
      change: (config) => {
        withEverything(config);
        withRestrictions(config);
        if (config.process !== undefined) config.process.noNewPrivileges = false;
      },
      facts: secureFacts,
      options: planOptions({ gate, seccomp: filter }),
    },
  ]),
  { name: 'v2', change: withEverything, facts: rootFacts({ cgroup: layouts.v2 }) },
  { name: 'hybrid', change: withEverything, facts: rootFacts({ cgroup: layouts.hybrid }) },
];

function planFor({ change, facts, options }: Variant): Plan {
  return planOf(change, facts, options);
}

/** Every `first` comes before every `second`; why it matters. */
const orders: [first: OpName, second: OpName, why: string][] = [
  ['oomScoreAdj', 'enterNamespace', 'lowering it needs the rights of the caller'],
  ['raiseHardLimit', 'enterNamespace', 'raising it needs the rights of the caller'],
  ['raiseHardLimit', 'clone', 'B inherits it, and may not raise it in a user namespace'],
  ['openNamespace', 'enterNamespace', 'paths are those of the caller'],
  ['openNamespace', 'cloneTree', 'slots are filled before they are used'],
  ['makeUserNamespace', 'idmapTree', 'the mapping must exist'],
  ['cloneTree', 'enterNamespace', 'sources are looked up where the caller is'],
  ['cloneTree', 'clone', 'B cannot'],
  ['idmapTree', 'clone', 'B cannot'],
  ['idmapTree', 'enterNamespace', 'entering closes the slot of the user namespace'],
  ['closeHostDescriptors', 'cloneVisible', "B holds nothing of the host's"],
  ['enterRoot', 'cloneVisible', "the host's files are not to be reached through B"],
  ['enterNamespace', 'cloneVisible', 'B is born in the pid namespace'],
  ['capabilities', 'cloneVisible', 'who traces B gains no capability'],
  ['cloneVisible', 'controllingTerminal', 'the session is that of B'],
  ['newSession', 'controllingTerminal', 'only a session leader gets a controlling terminal'],
  ['console', 'controllingTerminal', 'the terminal is stdio by then'],
  ['cloneIntoCgroup', 'openNamespace', 'with the rights of the caller'],
  ['closeHostDescriptors', 'waitStart', 'exec may come from here on'],
  ['enterNamespace', 'clone', 'pid and time namespaces are for children'],
  ['clone', 'sync', 'A has nothing to wait for'],
  ['becomeRoot', 'newSession', 'B acts as root of its user namespace'],
  ['timeNamespace', 'becomeRoot', 'B may not open its own files afterwards'],
  ['openTimeOffsets', 'enterNamespace', 'A may not open its own files afterwards'],
  ['becomeRoot', 'unshare', 'the user namespace must own the cgroup namespace'],
  ['becomeRoot', 'rootfs', 'files are made by root of the container'],
  ['unshare', 'mountFilesystem', 'a cgroup mount shows the namespace it is made in'],
  ['hostPropagation', 'rootfs', 'no mount may reach the host'],
  ['rootfs', 'mountFilesystem', 'mounts go below the rootfs'],
  ['rootfs', 'mountBind', 'mounts go below the rootfs'],
  ['mountBind', 'maskPath', 'no mount may cover a mask'],
  ['mountFilesystem', 'maskPath', 'no mount may cover a mask'],
  ['mountBind', 'readonlyPath', 'no mount may cover it'],
  ['mountFilesystem', 'device', 'devices are made in the /dev that is mounted'],
  ['mountFilesystem', 'console', 'the terminal comes from the devpts that is mounted'],
  ['device', 'remount', 'a read-only /dev takes no nodes'],
  ['symlink', 'readonlyRoot', 'a read-only root takes no links'],
  ['device', 'readonlyRoot', 'a read-only root takes no nodes'],
  ['sysctl', 'readonlyPath', '/proc/sys is one of them'],
  ['readonlyPath', 'maskPath', 'making a path read-only copies what is on it'],
  ['maskPath', 'enterRoot', "the host's /dev/null must be in reach"],
  ['maskPath', 'workingDirectory', 'being in a directory keeps it below a mask'],
  ['enterRoot', 'rootPropagation', 'pivot_root refuses a shared root'],
  ['enterRoot', 'workingDirectory', 'a directory of the container, not of the host'],
  ['workingDirectory', 'readonlyRoot', 'it is made when it is missing'],
  ['enterRoot', 'home', "/etc/passwd of the container, not of the host's"],
  ['home', 'user', '/etc/passwd may be for root only'],
  ['workingDirectory', 'user', 'the directory may be for root only'],
  ['boundingSet', 'user', 'needs CAP_SETPCAP'],
  ['user', 'capabilities', 'a change of user rewrites the sets'],
  ['capabilities', 'noNewPrivileges', 'nothing after it may need more'],
  ['capabilities', 'findExecutable', 'with the rights of the user'],
  ['enterRoot', 'findExecutable', 'an executable of the container'],
  ['workingDirectory', 'findExecutable', 'a relative path is relative to it'],
  ['findExecutable', 'waitStart', 'create reports a missing executable'],
  ['noNewPrivileges', 'waitStart', 'start changes nothing any more'],
  ['joinCgroup', 'affinity', 'the cpuset of the cgroup limits the mask'],
  ['joinCgroup', 'memoryPolicy', 'the nodes must be among those of the cgroup'],
  ['scheduler', 'user', 'needs CAP_SYS_NICE'],
  ['ioPriority', 'user', 'needs CAP_SYS_NICE'],
  ['memoryPolicy', 'seccomp', 'the filter may forbid it'],
  ['scheduler', 'seccomp', 'the filter may forbid it'],
  ['ioPriority', 'seccomp', 'the filter may forbid it'],
  ['personality', 'seccomp', 'the filter may forbid it'],
  ['apparmorProfile', 'seccomp', 'the filter may forbid it'],
  ['selinuxLabel', 'seccomp', 'the filter may forbid it'],
  ['boundingSet', 'seccomp', 'the filter may forbid it'],
  ['apparmorProfile', 'noNewPrivileges', 'AppArmor allows fewer changes after it'],
  ['selinuxLabel', 'noNewPrivileges', 'SELinux allows fewer changes after it'],
  ['apparmorProfile', 'waitStart', 'create reports a missing profile'],
  ['selinuxLabel', 'waitStart', 'create reports an unknown label'],
  ['mountLabel', 'maskPath', 'masks are labelled'],
  ['mountLabel', 'console', 'the terminal is labelled'],
];

describe('compile', () => {
  it('needs nothing of a config but a process', () => {
    const minimal = (change: Partial<Config>): Plan =>
      compile(
        { ociVersion: '1.3.0', process: { cwd: '/', args: ['sh'] }, ...change },
        rootFacts(),
        planOptions(),
      );
    const plan = minimal({});
    const inert = ['root', 'linux', 'hooks', 'process'].map((key) =>
      minimal({
        [key]: key === 'process' ? { cwd: '/', args: ['sh'], user: {}, env: [] } : {},
      }),
    );
    for (const other of inert) expect(names(other)).to.deep.equal(names(plan));
    expect(plan).to.deep.include({ slotCount: slots.first, warnings: [] });
    expect(opsOf(plan, 'clone')).to.deep.equal([{ op: 'clone', origin: '', flags: 0 }]);
    const own = minimal({ linux: { namespaces: namespaceList('mount', 'user', 'time') } });
    expect(onlyOp(own, 'hostPropagation').origin).to.equal('');
    expect(onlyOp(own, 'becomeRoot').origin).to.equal('');
    expect(onlyOp(own, 'timeNamespace')).to.include({ origin: '/linux/namespaces/2', offsets: '' });
  });

  for (const variant of variants) {
    describe(`for a container: ${variant.name}`, () => {
      const plan = planFor(variant);

      it('keeps the order the kernel and safety ask for', () => {
        const order = names(plan);
        for (const [first, second, why] of orders) {
          const last = order.lastIndexOf(first);
          const next = order.indexOf(second);
          if (last >= 0 && next >= 0) expect(last, `${first} before ${second}: ${why}`).to.be.below(next);
        }
      });

      const clonesB = (op: Op): boolean => op.op === 'clone' || op.op === 'cloneVisible';

      it('clones B once, and each operation runs in the process it is for', () => {
        const clones = plan.ops.flatMap((op, index) => (clonesB(op) ? [index] : []));
        expect(clones).to.have.length(1);
        plan.ops.forEach(({ op }, index) => {
          const where = wireOps[op].in;
          const expected = index <= (clones[0] ?? 0) ? 'a' : 'b';
          expect(where === 'ab' ? expected : where, op).to.equal(expected);
        });
      });

      it('waits for the engine right after the namespaces are made, and ends with exec', () => {
        const order = names(plan);
        // What comes first needs nothing of the engine.
        const early: OpName[] = ['joinCgroup', 'affinity', 'timeNamespace'];
        const made = order.includes('clone')
          ? order.indexOf('clone')
          : Math.max(
              order.indexOf('unshare'),
              order.findLastIndex((op, at) => op === 'enterNamespace' && at < order.indexOf('sync')),
            );
        const start = plan.ops.slice(made + 1).find(({ op }) => !early.includes(op));
        expect(start).to.include({ op: 'sync', point: syncPoints.setup });
        expect(order.at(-1)).to.equal('exec');
        expect(order.filter((op) => op === 'exec')).to.have.length(1);
      });

      it('has one gate, with nothing but hooks, lowered limits and the filter behind it', () => {
        const isGate = (op: Op): boolean =>
          op.op === 'waitStart' || (op.op === 'sync' && op.point === syncPoints.ready);
        const gates = plan.ops.filter(isGate);
        expect(gates).to.have.length(1);
        const behind = plan.ops.slice(plan.ops.findIndex(isGate) + 1).map(({ op }) => op);
        const harmless: OpName[] = ['hook', 'rlimit', 'seccomp'];
        expect(behind.filter((op) => !harmless.includes(op))).to.deep.equal(['exec']);
      });

      it('fills every slot before it is used, and only once', () => {
        const filled = new Set<number>([slots.stateCreating, slots.stateCreated]);
        for (const op of plan.ops) {
          if (op.op === 'openNamespace' || op.op === 'makeUserNamespace' || op.op === 'cloneTree') {
            expect(op.slot).to.be.within(slots.first, plan.slotCount - 1);
            expect(filled.has(op.slot), `slot ${op.slot} twice`).to.be.false;
            filled.add(op.slot);
            continue;
          }
          const used = [
            ...('slot' in op ? [op.slot] : []),
            ...('userSlot' in op ? [op.userSlot] : []),
            ...('stateSlot' in op ? [op.stateSlot] : []),
          ].filter((slot) => slot !== 0xffffffff);
          for (const slot of used) expect(filled.has(slot), `${op.op}: slot ${slot} is empty`).to.be.true;
        }
      });

      it('points to a property that exists', () => {
        const config = usualConfig();
        variant.change(config);
        for (const { op, origin } of plan.ops) {
          let value: unknown = config;
          for (const part of origin.split('/').slice(1)) {
            const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
            value = (value as Record<string, unknown> | undefined)?.[key];
          }
          expect(value, `${op} ${origin}`).not.to.be.undefined;
        }
      });
    });
  }

  it('makes the same plan again, and changes nothing of the config', () => {
    const config = usualConfig();
    withEverything(config);
    const before = structuredClone(config);
    const plan = compile(config, rootFacts(), planOptions());
    expect(compile(config, rootFacts(), planOptions())).to.deep.equal(plan);
    expect(config).to.deep.equal(before);
  });

  it('stops for prestart and createRuntime hooks only when there are some', () => {
    const points = (plan: Plan): number[] => opsOf(plan, 'sync').map(({ point }) => point);
    expect(points(planOf())).to.deep.equal([syncPoints.setup]);
    expect(
      points(planOf((config) => (config.hooks = { poststart: [hook], createContainer: [hook] }))),
    ).to.deep.equal([syncPoints.setup]);
    for (const kind of ['prestart', 'createRuntime'] as const) {
      expect(points(planOf((config) => (config.hooks = { [kind]: [hook] })))).to.deep.equal([
        syncPoints.setup,
        syncPoints.hooks,
      ]);
    }
  });

  it("has the engine's hooks before those of the container, which belong to a later moment", () => {
    const plan = planOf((config) => (config.hooks = { createContainer: [hook], createRuntime: [hook] }));
    const order = plan.ops.flatMap((op): (string | number)[] =>
      op.op === 'hook' ? ['hook'] : op.op === 'sync' ? [op.point] : [],
    );
    expect(order).to.deep.equal([syncPoints.setup, syncPoints.hooks, 'hook']);
  });

  it('has createContainer hooks after the mounts and before anything is hidden or read-only', () => {
    const plan = planOf(withEverything);
    const order = names(plan);
    const first = order.indexOf('hook');
    expect(first).to.be.above(order.lastIndexOf('mountBind')).and.above(order.lastIndexOf('device'));
    for (const op of ['sysctl', 'maskPath', 'readonlyPath', 'enterRoot', 'readonlyRoot'] as const) {
      expect(first, op).to.be.below(order.indexOf(op));
    }
  });

  describe('without a mount namespace', () => {
    const change = (config: Config): void => {
      const device = { type: 'c', path: '/dev/x', major: 1, minor: 2 };
      config.linux = { namespaces: namespaceList('pid'), devices: [device] };
      delete config.hostname;
      delete config.root?.readonly;
    };
    const plan = planOf(change);

    it('mounts and makes nothing: it would be on the host', () => {
      const forbidden: OpName[] = [
        'hostPropagation',
        'mountFilesystem',
        'mountBind',
        'remount',
        'device',
        'deviceBind',
        'symlink',
        'maskPath',
        'readonlyPath',
        'readonlyRoot',
        'rootPropagation',
      ];
      expect(names(plan).filter((op) => forbidden.includes(op))).to.deep.equal([]);
      expect(onlyOp(plan, 'enterRoot').mode).to.equal(rootModes.chroot);
    });

    it('says so', () => {
      expect(warningsOf(change).map(([pointer]) => pointer)).to.deep.equal(['/mounts', '/linux/devices']);
    });

    it('refuses what it cannot do', () => {
      const refusal = (change: (config: Config) => unknown) => (): unknown =>
        planOf((config) => {
          config.linux = {};
          delete config.hostname;
          delete config.root?.readonly;
          change(config);
        });
      expect(refusal((config) => (config.linux = { maskedPaths: ['/x'] }))).to.throw(
        'needs a namespace of type "mount"',
      );
      expect(refusal((config) => (config.linux = { readonlyPaths: ['/x'] }))).to.throw(
        'needs a namespace of type "mount"',
      );
      expect(refusal((config) => (config.hostname = 'x'))).to.throw('needs a namespace of type "uts"');
      expect(refusal((config) => (config.domainname = 'x'))).to.throw('needs a namespace of type "uts"');
    });
  });
});
