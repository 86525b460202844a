import { expect } from 'chai';
import { previousValue } from './write-journal.ts';

describe('what restores a cgroup file', () => {
  const cases: [file: string, written: string, before: string, restores: string | undefined][] = [
    ['memory.limit_in_bytes', '4096', '9223372036854771712\n', '9223372036854771712'],
    ['cpu.max', '20000 50000', 'max 100000\n', 'max 100000'],
    ['cpuset.cpus', '0', '0-3,7\n', '0-3,7'],
    // cgroup v2: no CPUs of its own.
    ['cpuset.cpus', '0', '\n', '\n'],
    ['memory.oom_control', '1', 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n', '0'],
    ['blkio.throttle.read_bps_device', '8:0 5', '7:0 9\n8:0 1048576\n', '8:0 1048576'],
    ['blkio.throttle.read_bps_device', '8:0 5', '', '8:0 0'],
    [
      'io.max',
      '8:0 rbps=5',
      '8:0 rbps=max wbps=9 riops=max wiops=max\n',
      '8:0 rbps=max wbps=9 riops=max wiops=max',
    ],
    ['io.max', '8:0 rbps=5', '7:0 rbps=1 wbps=max', '8:0 rbps=max wbps=max riops=max wiops=max'],
    ['io.weight', '200', 'default 100\n8:0 300\n', 'default 100'],
    ['io.bfq.weight', '8:0 200', 'default 100\n', '8:0 default'],
    ['blkio.bfq.weight', '200', '100\n', '100'],
    ['blkio.bfq.weight_device', '8:0 200', '8:0 77\n', '8:0 77'],
    ['net_prio.ifpriomap', 'lo 3', 'lo 0\neth0 7\n', 'lo 0'],
    ['rdma.max', 'mlx hca_handle=3', 'mlx hca_handle=max hca_object=9\n', 'mlx hca_handle=max hca_object=9'],
    ['rdma.max', 'mlx hca_handle=3', '', undefined],
    ['memory.stat', 'x', 'a 1\nb 2\n', undefined],
  ];
  for (const [file, written, before, restores] of cases) {
    it(`${file}: ${JSON.stringify(written)} over ${JSON.stringify(before)}`, () => {
      expect(previousValue(file, written, before)).to.equal(restores);
    });
  }
});
