import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { capabilityNumbers } from './capabilities.ts';
import { memoryPolicyFlags, memoryPolicyModes } from './memory-policy.ts';
import { mountAttributes, mountPropagation } from './mount-options.ts';
import { namespaces } from './namespaces.ts';
import { rlimitNumbers } from '../host/rlimits.ts';
import {
  ioPriorityClasses,
  nameOf,
  namesOf,
  personalities,
  schedulerFlags,
  schedulerPolicies,
} from './scheduling.ts';
import { parseSignal, signalName, signalNumbers } from '../host/signals.ts';

/** The integers a header of the kernel defines, and the members of its enums, numbered as C does. */
function headerNumbers(name: string): Map<string, number> {
  const text = readFileSync(`/usr/include/${name}`, 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
  const numbers = new Map<string, number>();
  for (const [, key = '', value = ''] of text.matchAll(
    /^#\s*define\s+(\w+)\s+\(?(0x[\da-f]+|\d+|1\s*<<\s*\d+)\)?\s*$/gim,
  )) {
    const shift = /<<\s*(\d+)/.exec(value);
    numbers.set(key, shift === null ? Number(value) : 1 << Number(shift[1]));
  }
  for (const [, body = ''] of text.matchAll(/enum\s*\w*\s*\{([^}]*)\}/g)) {
    let next = 0;
    for (const member of body.split(',').map((word) => word.trim())) {
      const [, key, value] = /^(\w+)(?:\s*=\s*(0x[\da-f]+|\d+))?$/i.exec(member) ?? [];
      if (key === undefined) continue;
      if (value !== undefined) next = Number(value);
      numbers.set(key, next++);
    }
  }
  return numbers;
}

describe("the kernel's numbers", () => {
  const tables: [header: string, ours: Iterable<readonly [string, number]>, later?: string[]][] = [
    ['linux/capability.h', capabilityNumbers],
    ['asm-generic/resource.h', rlimitNumbers],
    // SCHED_OTHER is called SCHED_NORMAL there; 4 is a comment.
    [
      'linux/sched.h',
      [...schedulerPolicies]
        .filter(([name]) => name !== 'SCHED_ISO')
        .map(([name, number]) => [name.replace('OTHER', 'NORMAL'), number]),
    ],
    ['linux/sched.h', schedulerFlags],
    ['linux/ioprio.h', ioPriorityClasses],
    // Newer than the headers of some distributions.
    ['linux/mempolicy.h', memoryPolicyModes, ['MPOL_WEIGHTED_INTERLEAVE']],
    ['linux/mempolicy.h', memoryPolicyFlags],
    [
      'linux/mount.h',
      Object.entries({
        MOUNT_ATTR_RDONLY: mountAttributes.readonly,
        MOUNT_ATTR_NOSUID: mountAttributes.nosuid,
        MOUNT_ATTR_NODEV: mountAttributes.nodev,
        MOUNT_ATTR_NOEXEC: mountAttributes.noexec,
        MOUNT_ATTR__ATIME: mountAttributes.atimeField,
        MOUNT_ATTR_RELATIME: mountAttributes.relatime,
        MOUNT_ATTR_NOATIME: mountAttributes.noatime,
        MOUNT_ATTR_STRICTATIME: mountAttributes.strictatime,
        MOUNT_ATTR_NODIRATIME: mountAttributes.nodiratime,
        MOUNT_ATTR_IDMAP: mountAttributes.idmap,
        MOUNT_ATTR_NOSYMFOLLOW: mountAttributes.nosymfollow,
        MS_UNBINDABLE: mountPropagation.unbindable,
        MS_PRIVATE: mountPropagation.private,
        MS_SLAVE: mountPropagation.slave,
        MS_SHARED: mountPropagation.shared,
        MS_REC: mountPropagation.recursive,
      }),
    ],
    [
      'linux/sched.h',
      Object.entries({
        CLONE_NEWUSER: namespaces.user.flag,
        CLONE_NEWPID: namespaces.pid.flag,
        CLONE_NEWNET: namespaces.network.flag,
        CLONE_NEWNS: namespaces.mount.flag,
        CLONE_NEWIPC: namespaces.ipc.flag,
        CLONE_NEWUTS: namespaces.uts.flag,
        CLONE_NEWCGROUP: namespaces.cgroup.flag,
        CLONE_NEWTIME: namespaces.time.flag,
      }),
    ],
    ['linux/personality.h', [...personalities].map(([name, number]) => [`PER_${name}`, number])],
  ];
  for (const [header, ours, later = []] of tables) {
    it(`are those of ${header}: ${[...ours]
      .map(([name]) => name)
      .slice(0, 2)
      .join(', ')}…`, () => {
      // They come along with the C library's, which the build needs.
      const theirs = headerNumbers(header);
      for (const [name, number] of ours) {
        if (later.includes(name) && !theirs.has(name)) continue;
        if (name.startsWith('MS_') && !theirs.has(name)) continue;
        expect(number, name).to.equal(theirs.get(name));
      }
    });
  }

  it('of signals are those of signal(7), with aliases', () => {
    const names =
      'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
        ' ',
      );
    names.forEach((name, i) => {
      expect(signalNumbers.get(`SIG${name}`), name).to.equal(i + 1);
      expect(signalName(i + 1)).to.equal(`SIG${name}`);
    });
    for (const [alias, name] of [
      ['IOT', 'ABRT'],
      ['CLD', 'CHLD'],
      ['POLL', 'IO'],
      ['UNUSED', 'SYS'],
    ] as const) {
      expect(parseSignal(alias)).to.equal(parseSignal(name));
    }
    expect(signalNumbers.size).to.equal(names.length + 4);
    expect([0, 32, 33, 34, 35, 64, 65].map(signalName)).to.deep.equal([
      'signal 0',
      'signal 32',
      'signal 33',
      'SIGRTMIN',
      'SIGRTMIN+1',
      'SIGRTMIN+30',
      'signal 65',
    ]);
  });

  it('have their names', () => {
    expect(nameOf(schedulerPolicies, 6)).to.equal('SCHED_DEADLINE');
    expect(nameOf(schedulerPolicies, 7)).to.equal('7');
    expect(namesOf(schedulerFlags, 0x81)).to.deep.equal(['SCHED_FLAG_RESET_ON_FORK']);
    expect(namesOf(schedulerFlags, 0)).to.deep.equal([]);
    expect(schedulerPolicies.get('SCHED_ISO')).to.equal(4);
    for (const [type, { procName }] of Object.entries(namespaces)) {
      const name = { network: 'net', mount: 'mnt' }[type] ?? type;
      expect(procName).to.equal(name);
    }
  });
});
