import { expect } from 'chai';
import { describeOp } from './describe.ts';
import { fullMap, mountOps, namespaceList, onlyOp, opsOf, planOf, rootFacts } from './testing/fixtures.ts';
import { wireOps } from './wire.ts';
import type { FieldType, Op } from './wire.ts';

/** An operation with nothing but neutral values. */
function blank(op: string, fields: Readonly<Record<string, FieldType>>): Op {
  const neutral = { u32: 0, i32: 0, u64: 0n, i64: 0n, str: '', bytes: new Uint8Array(), strs: [], u32s: [] };
  const values = Object.entries(fields).map(([name, type]) => [name, neutral[type]]);
  return { op, origin: '', ...(Object.fromEntries(values) as object) } as unknown as Op;
}

describe('describeOp', () => {
  it('has one line for every operation', () => {
    for (const [name, { fields }] of Object.entries(wireOps)) {
      const text = describeOp(blank(name, fields));
      expect(text, name).to.match(/^[^\n]{4,}$/);
    }
  });

  it('says what becomes of symbolic links', () => {
    const plan = planOf((config) => {
      config.mounts = [
        ['bind', 'copy-symlink'],
        ['bind', 'nodev', 'src-nofollow', 'dest-nofollow'],
      ].map((options) => ({ destination: '/x', source: '/y', options }));
    });
    expect(opsOf(plan, 'mountBind').map(describeOp)).to.deep.equal([
      'bind mount /y on /x (copy-symlink)',
      'bind mount /y on /x (nodev, src-nofollow, dest-nofollow)',
    ]);
  });

  it('says what a plan does', () => {
    const plan = planOf((config) => {
      config.linux = {
        ...config.linux,
        namespaces: [
          ...namespaceList('pid', 'mount', 'uts', 'cgroup', 'time'),
          { type: 'network', path: '/ns/n' },
        ],
        timeOffsets: { monotonic: { secs: 1 }, boottime: { secs: 2 } },
        rootfsPropagation: 'rshared',
      };
      config.hooks = { createContainer: [{ path: '/bin/h' }] };
    });
    const texts = plan.ops.map(describeOp);
    for (const text of [
      'open the network namespace /ns/n',
      'join the network namespace',
      "make the container's process in a new pid, mount, uts namespace",
      'make a new cgroup namespace',
      'make a new time namespace (monotonic 1 0, boottime 2 0)',
      'set the hostname to box',
      'make all mounts of the host rshared',
      'mount proc on /proc',
      'mount tmpfs on /dev (nosuid, strictatime, mode=755, size=65536k)',
      'mount sysfs on /sys (ro, nosuid, nodev, noexec)',
      'bind mount /srv/data on /data (nodev, rprivate)',
      'make the character device /dev/null (1:3, mode 0666)',
      'link /dev/ptmx to pts/ptmx',
      'run the hook /bin/h',
      'make /proc/sys read-only',
      'mask /proc/kcore',
      'make the rootfs / (pivot_root)',
      'make / read-only',
      'set RLIMIT_NOFILE to 1024 (hard limit 4096)',
      'limit the bounding set to CAP_KILL CAP_NET_BIND_SERVICE CAP_AUDIT_WRITE',
      'become uid 0, gid 0, umask 0022',
      'find the executable sh in /usr/bin:/bin',
      'execute sh',
    ]) {
      expect(texts).to.include(text);
    }
  });

  it('names attributes that are lifted, and access times', () => {
    const text = (...options: string[]): string[] =>
      mountOps({ destination: '/b', source: '/s', options: ['rbind', ...options] }).map(describeOp);
    expect(text('rw', 'exec', 'relatime', 'rro', 'slave')).to.deep.equal([
      'bind mount /s on /b (rw, exec, relatime, rro, slave)',
    ]);
    expect(text('noatime', 'rdev', 'rstrictatime')).to.deep.equal([
      'bind mount /s on /b (noatime, rdev, rstrictatime)',
    ]);
  });

  it('quotes arguments, and knows no limit', () => {
    const plan = planOf((config) => {
      config.process = {
        cwd: '/',
        args: ['sh', '-c', 'echo "a b"\n'],
        user: { uid: 1, gid: 2, additionalGids: [3, 4] },
        rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n }],
      };
    });
    expect(describeOp(onlyOp(plan, 'exec'))).to.equal('execute sh -c "echo \\"a b\\"\\n"');
    expect(opsOf(plan, 'rlimit').map(describeOp)).to.deep.equal([
      'set RLIMIT_CORE to 0 (hard limit unlimited)',
    ]);
    expect(describeOp(onlyOp(plan, 'user'))).to.equal('become uid 1, gid 2, groups 3 4, umask 0022');
    expect(describeOp(onlyOp(plan, 'findExecutable'))).to.equal('find the executable sh in no PATH');
  });

  it('keeps control characters of a hostile config from the terminal', () => {
    const plan = planOf((config) => (config.hostname = 'x\n\x1b[2Jy'));
    expect(describeOp(onlyOp(plan, 'hostname'))).to.equal('set the hostname to x\\u000a\\u001b[2Jy');
  });

  it('shows id maps', () => {
    const [make, clone, map] = mountOps(
      {
        destination: '/b',
        source: '/s',
        options: ['rbind', 'ridmap'],
        uidMappings: fullMap,
        gidMappings: fullMap,
      },
      rootFacts(),
    ).map(describeOp);
    expect(make).to.include('uids 0 100000 65536; gids 0 100000 65536');
    expect(clone).to.equal('clone the mount of /s');
    expect(map).to.equal('map the ids of that clone, recursively');
  });
});
