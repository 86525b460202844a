import { expect } from 'chai';
import { parseMountinfo } from '../host/mountinfo.ts';
import { externalMounts } from './external-mounts.ts';

const mounts = parseMountinfo(`1 0 8:1 /bundle/rootfs / rw - ext4 /dev/sda rw
2 1 0:40 / /proc rw - proc proc rw
3 1 0:41 / /dev rw - tmpfs tmpfs rw
4 2 0:41 /null /proc/kcore rw - tmpfs tmpfs rw
5 1 8:1 /srv/data /data rw - ext4 /dev/sda rw
6 5 8:2 / /data/more rw - ext4 /dev/sdb rw
7 5 0:42 / /data/tmp rw - tmpfs tmpfs rw
8 3 0:6 /fuse /dev/fuse rw - devtmpfs udev rw
9 1 8:1 /bundle/rootfs/a /b rw - ext4 /dev/sda rw
10 1 0:20 / /sys rw - sysfs sysfs rw
11 10 0:30 /some/one /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
12 10 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
13 10 0:32 /some/one /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`);
const host = new Set(['8:1', '8:2', '0:6', '0:20', '0:30', '0:31', '0:32']);

describe('external mounts of a checkpoint', () => {
  it('are bind mounts with what is below them, and devices', () => {
    expect(externalMounts(mounts, host, ['/data'])).to.deep.equal([
      { mountpoint: '/data', name: '/data' },
      { mountpoint: '/data/more', name: '/data/more' },
      { mountpoint: '/dev/fuse', name: '/dev/fuse' },
      { mountpoint: '/sys/fs/cgroup/cpu', name: '/sys/fs/cgroup/cpu' },
    ]);
  });

  it("are the host's kernel filesystems only where they are bound", () => {
    expect(externalMounts(mounts, host, ['/sys']).map(({ name }) => name)).to.include('/sys');
  });
});
