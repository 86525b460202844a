import { expect } from 'chai';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { installation } from '../../lib/native/install.ts';
import { pidfdOpen, pidfdSignal, waitPidfd } from '../../lib/native/pidfd.ts';
import type { Message } from '../../lib/engine/message-packet.ts';
import { faults, noSlot, slots, syncPoints } from '../../lib/plan/wire.ts';
import {
  clone,
  denyWith,
  errno,
  errorOf,
  fields,
  newNs,
  outputOf,
  program,
  runOps,
  scratch,
  setup,
  shell,
  withMaps,
} from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import { compile } from './testing/programs.ts';
import { reapEnded } from './testing/run.ts';
import { skip } from '../../lib/testing/skip.ts';

describe('init: namespaces', () => {
  const { path, file } = scratch();
  /** A copy that everybody may execute. */
  const init = (): string => {
    const copy = file('init', readFileSync(installation().init));
    chmodSync(path(), 0o755);
    return copy;
  };

  it('are new for every kind the plan names, and the process is in them', () => {
    const flags = newNs.mount | newNs.uts | newNs.ipc | newNs.pid | newNs.network;
    const stdout = outputOf([
      clone(flags),
      setup,
      { op: 'unshare', flags: newNs.cgroup },
      { op: 'timeNamespace', slot: noSlot, offsets: 'boottime 1000000 0\n' },
      { op: 'hostname', name: 'inside' },
      { op: 'domainname', name: 'example.org' },
      { op: 'loopback' },
      ...shell(
        'cd /proc/self/ns; for n in mnt uts ipc pid net cgroup time; do echo $n: $(readlink $n); done;' +
          ' echo pid: $$; echo host: $(uname -n); echo domain: $(cat /proc/sys/kernel/domainname);' +
          ' echo up: $(cut -d. -f1 /proc/uptime); grep -c 127.0.0.1 /proc/self/net/fib_trie | sed "s/^/lo: /"',
      ),
    ]);
    const inside = fields(stdout.replace(/^(.*): .*:\[(.*)\]$/gm, '$1: $2'));
    for (const name of ['mnt', 'uts', 'ipc', 'net', 'cgroup', 'time']) {
      const outside = /\[(.*)\]/.exec(readlinkSync(`/proc/self/ns/${name}`))?.[1];
      expect(inside.get(name), name).to.match(/^\d+$/).and.not.equal(outside);
    }
    expect(inside.get('pid')).to.equal('1');
    expect(inside.get('host')).to.equal('inside');
    expect(inside.get('domain')).to.equal('example.org');
    expect(Number(inside.get('up'))).to.be.greaterThan(1_000_000);
    expect(Number(inside.get('lo'))).to.be.greaterThan(0);
  });

  it('do not change the host', () => {
    const before = readFileSync('/proc/sys/kernel/hostname', 'utf8');
    outputOf([clone(newNs.uts), setup, { op: 'hostname', name: 'elsewhere' }, ...program(['true'])]);
    expect(readFileSync('/proc/sys/kernel/hostname', 'utf8')).to.equal(before);
  });

  it('are not entered by a process whose pid A could not report before it was killed', () => {
    const wrap = [compile('at-syscall', path()), 'sendmsg', '1', 'kill', '-', '-', installation().init];
    const ops = [clone(newNs.uts), setup, ...program(['echo', 'alive'])];
    expect(runOps(ops, { wrap })).to.deep.equal({
      messages: [],
      syncPoints: [],
      status: 128 + 9,
      stdout: '',
      stderr: '',
    });
    // B is a child of ours, and nobody else waits for it.
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ');
    for (const pid of children.filter((word) => word !== '').map(Number)) {
      if (!/^Name:\s+tsrun-init$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) continue;
      const pidfd = pidfdOpen(pid);
      expect(waitPidfd(pidfd, 10_000)).to.equal(true);
      expect(reapEnded(pidfd)).to.equal(1);
      closeSync(pidfd);
    }
  });

  it('of users get their maps from the engine while the init waits, which then becomes root', () => {
    const stdout = outputOf(
      [
        clone(newNs.user | newNs.mount | newNs.uts),
        { op: 'timeNamespace', slot: noSlot, offsets: 'monotonic 5 0\n' },
        setup,
        { op: 'becomeRoot' },
        { op: 'hostname', name: 'mapped' },
        ...shell('id -u; id -g; uname -n; cat /proc/self/timens_offsets; cat /proc/self/uid_map'),
      ],
      withMaps('0 100000 1000', '0 200000 1000'),
    );
    const lines = stdout.split('\n');
    expect(lines.slice(0, 3)).to.deep.equal(['0', '0', 'mapped']);
    expect(lines[3]).to.match(/^monotonic +5 +0$/);
    expect(lines[5]).to.match(/^ +0 +100000 +1000$/);
  });

  it('of users without id 0 are refused', () => {
    const message = errorOf(
      [clone(newNs.user), setup, { op: 'becomeRoot' }, ...program(['true'])],
      withMaps('7 100000 1', '0 200000 1'),
    );
    expect(message).to.include({ op: 2, errno: errno.EINVAL, detail: 'the user namespace maps no uid 0' });
  });

  it('are joined by path, and the wrong type is refused', () => {
    const slot = slots.first;
    const outside = readlinkSync('/proc/self/ns/net');
    let joined = '';
    let inside: string[] = [];
    // A first container waits at its sync point while a second one joins its network.
    outputOf([clone(newNs.network), setup, ...program(['true'])], {
      atSync: (_point, pid) => {
        const net = `/proc/${String(pid)}/ns/net`;
        joined = readlinkSync(net);
        inside = outputOf([
          { op: 'openNamespace', slot, type: newNs.network, path: net, changes: '' },
          { op: 'enterNamespace', slot, type: newNs.network },
          clone(newNs.uts),
          setup,
          ...shell('readlink /proc/self/ns/net; readlink /proc/self/ns/uts'),
        ]).split('\n');
        return undefined;
      },
    });
    expect(joined).not.to.equal(outside);
    expect(inside[0]).to.equal(joined);
    expect(inside[1]).not.to.equal(readlinkSync('/proc/self/ns/uts'));

    const wrong = (wrongPath: string): Message =>
      errorOf([
        { op: 'openNamespace', slot, type: newNs.network, path: wrongPath, changes: '' },
        clone(),
        ...program(['true']),
      ]);
    expect(wrong('/proc/self/ns/mnt')).to.include({
      op: 0,
      errno: errno.EINVAL,
      value: faults.namespace,
      detail: '/proc/self/ns/mnt is a mount namespace, not a net namespace',
    });
    const fifo = path('fifo');
    execFileSync('mkfifo', [fifo]);
    expect(wrong(fifo)).to.include({ errno: errno.EINVAL, detail: `${fifo} is not a namespace` });
    expect(wrong('/nowhere')).to.include({ errno: errno.ENOENT, value: faults.none, detail: '/nowhere' });
  });

  it('are joined, all kinds at once, as root of the joined user namespace', () => {
    const kinds = ['user', 'cgroup', 'ipc', 'net', 'time', 'uts', 'pid', 'mnt'] as const;
    const types = { ...newNs, mnt: newNs.mount, net: newNs.network };
    let joined: string[] = [];
    let inside: string[] = [];
    const make: TestOp[] = [
      clone(newNs.user | newNs.mount | newNs.uts | newNs.ipc | newNs.pid | newNs.network),
      setup,
      { op: 'becomeRoot' },
      { op: 'unshare', flags: newNs.cgroup },
      { op: 'timeNamespace', slot: noSlot, offsets: '' },
      { op: 'sync', point: syncPoints.hooks },
      ...program(['true']),
    ];
    outputOf(make, {
      atSync: (point, pid) => {
        if (point === syncPoints.setup) return withMaps('0 100000 10').atSync?.(point, pid);
        const ns = `/proc/${String(pid)}/ns`;
        joined = kinds.map((kind) => readlinkSync(`${ns}/${kind}`));
        inside = outputOf([
          ...kinds.map((kind, at): TestOp => {
            return {
              op: 'openNamespace',
              slot: slots.first + at,
              type: types[kind],
              path: `${ns}/${kind}`,
              changes: '',
            };
          }),
          ...kinds.map((kind, at): TestOp => {
            return { op: 'enterNamespace', slot: slots.first + at, type: types[kind] };
          }),
          clone(),
          ...shell(`for n in ${kinds.join(' ')}; do readlink /proc/self/ns/$n; done; echo $$ $(id -u)`),
        ]).split('\n');
        return undefined;
      },
    });
    expect(inside.slice(0, kinds.length)).to.deep.equal(joined);
    expect(inside[kinds.length]).to.equal('2 0');
  });

  it('that have processes already do not see into the one that enters', () => {
    // Who may attach to a process is who owns its files (proc(5)): its user, or root when it hides.
    const ownerOf = (ops: readonly TestOp[], slots: Readonly<Record<number, number>> = {}): number => {
      let owner = -1;
      const all = [...ops, clone(), { op: 'sync', point: syncPoints.hooks } as const, ...program(['true'])];
      const result = runOps(all, {
        slots,
        wrap: [
          '/usr/bin/setpriv',
          '--reuid=1234',
          '--clear-groups',
          '--inh-caps=+sys_admin',
          '--ambient-caps=+sys_admin',
          init(),
        ],
        atSync: (_point, pid) => {
          owner = statSync(`/proc/${String(pid)}/environ`).uid;
          return undefined;
        },
      });
      expect(result).to.deep.include({ messages: [], status: 0 });
      return owner;
    };
    const open = (name: string, type: number): TestOp[] => [
      { op: 'openNamespace', slot: 12, type, path: `/proc/self/ns/${name}`, changes: '' },
      { op: 'enterNamespace', slot: 12, type },
    ];
    expect(ownerOf([])).to.equal(1234);
    expect(ownerOf(open('pid', newNs.pid))).to.equal(0);
    const container = pidfdOpen(process.pid);
    try {
      expect(ownerOf([{ op: 'enterContainer', flags: 0 }], { [slots.container]: container })).to.equal(0);
    } finally {
      closeSync(container);
    }
  });

  for (const [where, command] of [
    ['the /proc of the container', 'mount -t proc proc /proc'],
    ['a /proc of its own where that of the container is covered', 'mount -t tmpfs tmpfs /proc'],
  ] as const) {
    it(`have who enters find its own files in ${where}`, async () => {
      const child = spawn('unshare', ['-m', '-p', '-f', 'sh', '-c', `${command} && echo done && sleep 60`]);
      await once(child.stdout, 'data');
      const [first] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
        .split(' ')
        .map(Number);
      const container = pidfdOpen(first ?? 0);
      try {
        const enter = { op: 'enterContainer', flags: newNs.mount | newNs.pid } as const;
        // Whatever security module there is, it refuses this label, of a process that is found.
        const label = { op: 'selinuxLabel', attribute: 'exec', label: 'none' } as const;
        const message = errorOf([enter, clone(), label, ...program(['true'])], {
          slots: { [slots.container]: container },
        });
        expect(message).to.include({ op: 2, errno: errno.EINVAL });
      } finally {
        pidfdSignal(container, 9);
        closeSync(container);
        await once(child, 'exit');
      }
    });
  }

  it('start in the cgroup of the plan', function () {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const mountpoint = mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4];
    if (mountpoint === undefined) skip(this, 'no cgroup v2 is mounted');
    const cgroup = `${mountpoint}/tsrun-init-test-${String(process.pid)}`;
    mkdirSync(cgroup);
    const fd = openSync(cgroup, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const stdout = outputOf([clone(), ...program(['grep', '^0:', '/proc/self/cgroup'])], {
        slots: { [slots.cgroup]: fd },
      });
      expect(stdout.trim()).to.match(new RegExp(`/tsrun-init-test-${String(process.pid)}$`));
      // A can go there first, and B stays where A is.
      const both = outputOf(
        [{ op: 'cloneIntoCgroup' }, clone(), ...program(['grep', '^0:', '/proc/self/cgroup'])],
        { slots: { [slots.cgroup]: fd } },
      );
      expect(both).to.equal(stdout);
      expect(errorOf([{ op: 'cloneIntoCgroup' }, clone(), ...program(['true'])])).to.include({
        op: 0,
        errno: errno.EBADF,
      });
    } finally {
      closeSync(fd);
      rmdirSync(cgroup);
    }
    const wrong = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const message = errorOf([clone(), ...program(['true'])], { slots: { [slots.cgroup]: wrong } });
      expect(message).to.include({ op: 0, detail: 'clone3 into the cgroup' });
    } finally {
      closeSync(wrong);
    }
  });

  it('of users are made for idmapped mounts', () => {
    const slot = slots.first;
    const ops: TestOp[] = [
      { op: 'makeUserNamespace', slot, uidMap: '0 100000 10\n', gidMap: '0 100000 10\n' },
      { op: 'enterNamespace', slot, type: newNs.user },
      clone(),
      ...shell('cat /proc/self/uid_map; id -u'),
    ];
    expect(outputOf(ops)).to.match(/^ +0 +100000 +10\n0\n$/);
    // A filter around tsrun may know clone(2) only.
    expect(outputOf([denyWith(errno.ENOSYS, 'clone3'), ...ops])).to.match(/^ +0 +100000 +10\n0\n$/);
    const bad = errorOf([
      { op: 'makeUserNamespace', slot, uidMap: 'x', gidMap: '0 100000 10\n' },
      clone(),
      ...program(['true']),
    ]);
    expect(bad).to.include({ op: 0, errno: errno.EINVAL, detail: "write uid_map 'x'" });
  });

  it('report what the kernel refuses of a time offset', () => {
    const message = errorOf([
      clone(),
      { op: 'timeNamespace', slot: noSlot, offsets: 'boottime x 0\n' },
      ...program(['true']),
    ]);
    expect(message).to.include({ op: 1, errno: errno.EINVAL });
  });
});
