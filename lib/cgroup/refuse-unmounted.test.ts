import { expect } from 'chai';
import { parseCgroupLayout } from '../host/cgroup-layout.ts';
import { parseCgroups } from '../host/proc.ts';
import { isUnmounted } from './refuse-unmounted.ts';

const memberships = parseCgroups('3:cpu,cpuacct:/\n2:name=systemd:/\n0::/\n');
const layout = parseCgroupLayout(
  [
    '30 1 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '31 1 0:2 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ].join('\n'),
);

describe('a cgroup that is not there', () => {
  const answers: [first: string, directory: string, unmounted: boolean, why: string][] = [
    ['cpu', '/sys/fs/cgroup/cpu,cpuacct/web', false, 'was removed'],
    ['cpu', '/elsewhere/web', true, 'is out of sight where its hierarchy is mounted elsewhere'],
    ['cpu', '/sys/fs/cgroup/cpu,cpuacct2/web', true, 'is out of sight beside a mount with a longer name'],
    [
      'name=systemd',
      '/sys/fs/cgroup/systemd/web',
      true,
      'is out of sight where its hierarchy is not mounted',
    ],
    ['pids', '/sys/fs/cgroup/pids/web', false, 'was never there where the kernel has no such hierarchy'],
    ['', '/sys/fs/cgroup/unified/web', false, 'was removed from cgroup v2'],
    ['', '/sys/fs/cgroup/web', true, 'is out of sight where cgroup v2 is mounted elsewhere'],
  ];
  for (const [first, directory, unmounted, why] of answers) {
    it(why, () => {
      expect(isUnmounted(first, directory, memberships, layout)).to.equal(unmounted);
    });
  }

  it('was never there on a kernel without cgroup v2', () => {
    expect(isUnmounted('', '/sys/fs/cgroup/web', parseCgroups('3:cpu:/\n'), { mode: 'v1', v1: [] })).to.equal(
      false,
    );
  });
});
