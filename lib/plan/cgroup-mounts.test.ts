import { expect } from 'chai';
import { mountAttributes as attr } from '../config/mount-options.ts';
import type { Config } from '../config/types.ts';
import {
  fullMap,
  layouts,
  mountOps,
  namespaceList,
  planOf,
  rootFacts,
  userFacts,
} from './testing/fixtures.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import type { HostFacts } from '../host/facts.ts';
import { noSlot, type Op } from './wire.ts';

const maps = { uidMappings: fullMap, gidMappings: fullMap };
const safe = attr.nosuid | attr.nodev | attr.noexec;

function view(facts: HostFacts, options: string[] = [], change?: (config: Config) => unknown): Op[] {
  return mountOps(
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options },
    facts,
    change,
  );
}

/** What stands where: `type or source`, by destination. */
function summary(ops: readonly Op[]): [string, string][] {
  return ops.map((op): [string, string] => {
    switch (op.op) {
      case 'mountFilesystem':
        return [op.destination, [op.type, ...op.options].join(' ')];
      case 'mountBind':
        return [op.destination, op.source];
      case 'symlink':
        return [op.path, `-> ${op.target}`];
      default:
        return ['', op.op];
    }
  });
}

function withCgroupNamespace(config: Config): void {
  config.linux = { ...config.linux, namespaces: namespaceList('mount', 'uts', 'cgroup') };
}

function withUserNamespace(config: Config): void {
  config.linux = { ...maps, namespaces: namespaceList('mount', 'uts', 'user') };
}

describe('cgroupMounts', () => {
  describe('v1', () => {
    it('binds the cgroups of the container, with a link for each controller', () => {
      expect(summary(view(rootFacts({ cgroup: layouts.v1 })))).to.deep.equal([
        ['/sys/fs/cgroup', 'tmpfs mode=755'],
        ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/cpu,cpuacct/c1'],
        ['/sys/fs/cgroup/cpu', '-> cpu,cpuacct'],
        ['/sys/fs/cgroup/cpuacct', '-> cpu,cpuacct'],
        ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/memory/c1'],
        ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/systemd/c1'],
      ]);
    });

    it('mounts the hierarchies in a cgroup namespace of its own', () => {
      expect(summary(view(rootFacts(), [], withCgroupNamespace))).to.deep.equal([
        ['/sys/fs/cgroup', 'tmpfs mode=755'],
        ['/sys/fs/cgroup/cpu,cpuacct', 'cgroup cpu cpuacct'],
        ['/sys/fs/cgroup/cpu', '-> cpu,cpuacct'],
        ['/sys/fs/cgroup/cpuacct', '-> cpu,cpuacct'],
        ['/sys/fs/cgroup/memory', 'cgroup memory'],
        ['/sys/fs/cgroup/systemd', 'cgroup name=systemd'],
      ]);
    });

    it('makes all of it read-only, the tmpfs when everything is in it', () => {
      const ops = view(rootFacts(), ['ro']);
      const tmpfs = ops.find((op) => op.op === 'mountFilesystem');
      expect(tmpfs).to.include({ attributes: safe });
      for (const op of ops)
        if (op.op === 'mountBind') expect(op.attributesSet).to.equal(safe | attr.readonly);
      expect(ops.at(-1)).to.include({
        op: 'remount',
        destination: '/sys/fs/cgroup',
        attributesSet: attr.readonly,
      });
    });

    it('makes the tmpfs read-only also for rro', () => {
      expect(view(rootFacts(), ['rro']).at(-1)).to.include({
        op: 'remount',
        destination: '/sys/fs/cgroup',
        attributesSet: attr.readonly,
      });
    });

    it('leaves out hierarchies in which the container has no cgroup', () => {
      const cgroup: CgroupLayout = {
        mode: 'v1',
        v1: [...layouts.v1.v1, { mountpoint: '/sys/fs/cgroup/rdma', controllers: ['rdma'] }],
      };
      expect(summary(view(rootFacts({ cgroup })))).to.deep.equal(summary(view(rootFacts())));
    });

    it('is bound by B, since the cgroups are made when A is gone', () => {
      const ops = view(rootFacts(), [], withUserNamespace);
      expect(ops.map(({ op }) => op)).not.to.include('cloneTree');
      for (const op of ops) if (op.op === 'mountBind') expect(op.slot).to.equal(noSlot);
    });
  });

  it('shows the v1 hierarchies of a hybrid host', () => {
    expect(summary(view(rootFacts({ cgroup: layouts.hybrid }))).map(([path]) => path)).to.deep.equal([
      '/sys/fs/cgroup',
      '/sys/fs/cgroup/memory',
      '/sys/fs/cgroup/systemd',
    ]);
  });

  describe('v2', () => {
    const v2 = rootFacts({ cgroup: layouts.v2 });

    it('is mounted in a cgroup namespace of its own', () => {
      const ops = view(v2, ['ro', 'nosuid', 'nsdelegate'], withCgroupNamespace);
      expect(summary(ops)).to.deep.equal([['/sys/fs/cgroup', 'cgroup2 nsdelegate']]);
      expect(ops[0]).to.include({ attributes: attr.readonly | attr.nosuid });
    });

    it("is bound from the host's otherwise, whose mount options stay as they are", () => {
      for (const change of [undefined, withUserNamespace]) {
        const ops = view(v2, ['ro'], change);
        expect(summary(ops)).to.deep.equal([['/sys/fs/cgroup', '/sys/fs/cgroup']]);
        expect(ops[0]).to.include({ attributesSet: attr.readonly });
      }
      expect(view(v2)[0]).to.include({ attributesSet: 0 });
    });

    it('is mounted by the root of a user namespace together with a cgroup namespace', () => {
      const both = (config: Config): void => {
        config.linux = { ...maps, namespaces: namespaceList('mount', 'uts', 'user', 'cgroup') };
      };
      expect(view(userFacts(), [], both)[0]).to.include({ type: 'cgroup2' });
      const joined = (config: Config): void => {
        config.linux = {
          ...maps,
          namespaces: [...namespaceList('mount', 'uts', 'user'), { type: 'cgroup', path: '/ns/cgroup' }],
        };
      };
      expect(view(v2, [], joined)[0]).to.include({ op: 'mountBind' });
    });

    it('is read-only for a rootless container that shares its cgroup namespace', () => {
      const plan = planOf((config) => {
        withUserNamespace(config);
        config.mounts = [{ destination: '/sys/fs/cgroup', type: 'cgroup', options: ['rw'] }];
      }, userFacts());
      const [op] = plan.ops.filter(({ origin }) => origin.startsWith('/mounts'));
      expect(op).to.include({ op: 'mountBind', attributesSet: attr.readonly, attributesClear: 0 });
      expect(plan.warnings.map(({ pointer }) => pointer)).to.deep.equal(['/mounts/0/type']);
      expect(view(userFacts(), ['ro'], withUserNamespace)[0]).to.include({ attributesSet: attr.readonly });
    });
  });

  it('is empty on a host without cgroups', () => {
    const plan = planOf(
      (config) => {
        config.mounts = [{ destination: '/sys/fs/cgroup', type: 'cgroup' }];
      },
      rootFacts({ cgroup: layouts.none }),
    );
    expect(summary(plan.ops.filter(({ origin }) => origin.startsWith('/mounts')))).to.deep.equal([
      ['/sys/fs/cgroup', 'tmpfs mode=755'],
    ]);
    expect(plan.warnings).to.have.length(1);
  });
});
