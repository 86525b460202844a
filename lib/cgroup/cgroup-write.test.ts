import { expect } from 'chai';
import type { Resources } from '../config/types.ts';
import { needsCurrentQuota } from './v2/cpu.ts';
import { needsCurrentMemory } from './v2/memory.ts';
import { needsCurrentLimit } from './v1/memory.ts';
import { resourceStepsV1 } from './v1/resources.ts';
import { ignoredOnV2, resourceStepsV2 } from './v2/resources.ts';
import { type CgroupStep, decimal, isSet, propertyName } from './cgroup-write.ts';
import { devicePattern, sameDeviceRules } from './device-rules.ts';
import { DeviceTable } from './v2/device-table.ts';

/** A write with nothing said about it but where it goes. */
const write = (controller: string, file: string, value: string, at: string, more: object = {}): object => ({
  step: 'write',
  controller,
  file,
  value,
  pointer: `/linux/resources/${at}`,
  ...more,
});
const check = (files: string[], limit: bigint, at: string): object => ({
  step: 'check',
  controller: 'memory',
  files,
  limit,
  pointer: `/linux/resources/memory/${at}`,
});
const device = { major: 8, minor: 16 };
const most = 2n ** 64n - 1n;

describe('each step of cgroup v1, whole', () => {
  const v1 = (resources: Resources, limit?: bigint): CgroupStep[] => resourceStepsV1(resources, limit);

  it('of cpu', () => {
    const cpu = { burst: 10, period: 20, quota: 30, realtimePeriod: 40, realtimeRuntime: 50, idle: 0 };
    const retry = { retry: true };
    expect(v1({ cpu: { ...cpu, shares: 262144 } })).to.deep.equal([
      write('cpu', 'cpu.idle', '0', 'cpu/idle'),
      write('cpu', 'cpu.shares', '262144', 'cpu/shares'),
      write('cpu', 'cpu.cfs_burst_us', '10', 'cpu/burst', retry),
      write('cpu', 'cpu.cfs_period_us', '20', 'cpu/period', retry),
      write('cpu', 'cpu.cfs_quota_us', '30', 'cpu/quota', retry),
      write('cpu', 'cpu.rt_period_us', '40', 'cpu/realtimePeriod', retry),
      write('cpu', 'cpu.rt_runtime_us', '50', 'cpu/realtimeRuntime', retry),
    ]);
    expect(v1({ cpu: { burst: 0, cpus: '0', mems: '' } })).to.deep.equal([
      write('cpuset', 'cpuset.cpus', '0', 'cpu/cpus'),
      write('cpu', 'cpu.cfs_burst_us', '0', 'cpu/burst', { retry: true, optional: true }),
    ]);
    expect(v1({ cpu: { shares: 2, mems: '0' } })).to.deep.equal([
      write('cpuset', 'cpuset.mems', '0', 'cpu/mems'),
      write('cpu', 'cpu.shares', '2', 'cpu/shares'),
    ]);
  });

  it('of memory', () => {
    expect(
      v1({
        memory: {
          limit: 4096,
          swap: 8192,
          kernel: 1,
          kernelTCP: 2,
          reservation: 3,
          useHierarchy: true,
          disableOOMKiller: false,
          checkBeforeUpdate: true,
        },
      }),
    ).to.deep.equal([
      check(['memory.usage_in_bytes'], 4096n, 'limit'),
      check(['memory.memsw.usage_in_bytes'], 8192n, 'swap'),
      write('memory', 'memory.limit_in_bytes', '4096', 'memory/limit'),
      write('memory', 'memory.memsw.limit_in_bytes', '8192', 'memory/swap'),
      write('memory', 'memory.kmem.limit_in_bytes', '1', 'memory/kernel', {
        unused: {
          reads: '9223372036854771712',
          message: 'this kernel does not limit kernel memory separately',
        },
      }),
      write('memory', 'memory.kmem.tcp.limit_in_bytes', '2', 'memory/kernelTCP'),
      write('memory', 'memory.soft_limit_in_bytes', '3', 'memory/reservation'),
      write('memory', 'memory.use_hierarchy', '1', 'memory/useHierarchy'),
      write('memory', 'memory.oom_control', '0', 'memory/disableOOMKiller'),
    ]);
    const optional = { optional: true };
    expect(v1({ memory: { limit: 4096, swap: -1, kernel: -1, kernelTCP: -1 } })).to.deep.equal([
      write('memory', 'memory.memsw.limit_in_bytes', '-1', 'memory/swap', optional),
      write('memory', 'memory.limit_in_bytes', '4096', 'memory/limit'),
      write('memory', 'memory.kmem.limit_in_bytes', '-1', 'memory/kernel', optional),
      write('memory', 'memory.kmem.tcp.limit_in_bytes', '-1', 'memory/kernelTCP', optional),
    ]);
    expect(v1({ memory: { limit: -1, checkBeforeUpdate: true } })).to.deep.equal([
      write('memory', 'memory.memsw.limit_in_bytes', '-1', 'memory/limit', optional),
      write('memory', 'memory.limit_in_bytes', '-1', 'memory/limit'),
    ]);
    expect(v1({ memory: { limit: 1, checkBeforeUpdate: false } })).to.have.length(1);
  });

  it('of memory, in an order that depends on the limit there is', () => {
    const first = (limit: number, swap: number, current?: bigint): unknown =>
      v1({ memory: { limit, swap } }, current)[0]?.pointer.split('/').at(-1);
    expect(first(10, 20)).to.equal('limit');
    expect(first(10, 20, 19n)).to.equal('swap');
    expect(first(10, 20, 20n)).to.equal('swap');
    expect(first(10, 20, 21n)).to.equal('limit');
  });

  it('of block I/O', () => {
    expect(
      v1({
        blockIO: {
          weight: 10,
          leafWeight: 20,
          weightDevice: [{ ...device }, { ...device, weight: 30, leafWeight: 40 }, { ...device, weight: 0 }],
          throttleReadBpsDevice: [{ ...device, rate: most }],
          throttleWriteBpsDevice: [{ ...device, rate: 2 }],
          throttleReadIOPSDevice: [{ ...device, rate: 3 }],
          throttleWriteIOPSDevice: [
            { ...device, rate: 4 },
            { major: 1, minor: 2, rate: 5 },
          ],
        },
      }),
    ).to.deep.equal([
      write('blkio', 'blkio.bfq.weight', '10', 'blockIO/weight', { alias: { file: 'blkio.weight' } }),
      write('blkio', 'blkio.leaf_weight', '20', 'blockIO/leafWeight'),
      write('blkio', 'blkio.bfq.weight_device', '8:16 30', 'blockIO/weightDevice/1/weight', {
        alias: { file: 'blkio.weight_device' },
      }),
      write('blkio', 'blkio.leaf_weight_device', '8:16 40', 'blockIO/weightDevice/1/leafWeight'),
      write(
        'blkio',
        'blkio.throttle.read_bps_device',
        '8:16 18446744073709551615',
        'blockIO/throttleReadBpsDevice/0/rate',
      ),
      write('blkio', 'blkio.throttle.write_bps_device', '8:16 2', 'blockIO/throttleWriteBpsDevice/0/rate'),
      write('blkio', 'blkio.throttle.read_iops_device', '8:16 3', 'blockIO/throttleReadIOPSDevice/0/rate'),
      write('blkio', 'blkio.throttle.write_iops_device', '8:16 4', 'blockIO/throttleWriteIOPSDevice/0/rate'),
      write('blkio', 'blkio.throttle.write_iops_device', '1:2 5', 'blockIO/throttleWriteIOPSDevice/1/rate'),
    ]);
  });

  it('of the rest', () => {
    expect(
      v1({
        pids: { limit: 7 },
        hugepageLimits: [{ pageSize: '64KB', limit: 1 }],
        network: {
          classID: 5,
          priorities: [
            { name: 'lo', priority: 1 },
            { name: 'eth0', priority: 2 },
          ],
        },
        rdma: { 'a~b/c': { hcaHandles: 0, hcaObjects: 1 }, none: {} },
      }),
    ).to.deep.equal([
      write('pids', 'pids.max', '7', 'pids/limit'),
      write('hugetlb', 'hugetlb.64KB.limit_in_bytes', '1', 'hugepageLimits/0/limit'),
      write('hugetlb', 'hugetlb.64KB.rsvd.limit_in_bytes', '1', 'hugepageLimits/0/limit', { optional: true }),
      write('net_cls', 'net_cls.classid', '5', 'network/classID'),
      write('net_prio', 'net_prio.ifpriomap', 'lo 1', 'network/priorities/0'),
      write('net_prio', 'net_prio.ifpriomap', 'eth0 2', 'network/priorities/1'),
      write('rdma', 'rdma.max', 'a~b/c hca_handle=0 hca_object=1', 'rdma/a~0b~1c'),
    ]);
    expect(v1({ network: { classID: 0 }, rdma: {}, hugepageLimits: [] })).to.deep.equal([]);
  });
});

describe('each step of cgroup v2, whole', () => {
  const v2 = (resources: Resources, current = {}): CgroupStep[] => resourceStepsV2(resources, current);

  it('of cpu', () => {
    const retry = { retry: true };
    expect(
      v2({ cpu: { idle: 0, shares: 1024, burst: 10, quota: 30, period: 20, cpus: '0', mems: '0' } }),
    ).to.deep.equal([
      write('cpuset', 'cpuset.cpus', '0', 'cpu/cpus'),
      write('cpuset', 'cpuset.mems', '0', 'cpu/mems'),
      write('cpu', 'cpu.idle', '0', 'cpu/idle'),
      write('cpu', 'cpu.weight', '100', 'cpu/shares'),
      write('cpu', 'cpu.max.burst', '10', 'cpu/burst', retry),
      write('cpu', 'cpu.max', '30 20', 'cpu/quota', retry),
    ]);
    expect(v2({ cpu: { idle: 1, burst: 0, period: 5 } }, { quota: '7' })).to.deep.equal([
      write('cpu', 'cpu.idle', '1', 'cpu/idle'),
      write('cpu', 'cpu.max.burst', '0', 'cpu/burst', { retry: true, optional: true }),
      write('cpu', 'cpu.max', '7 5', 'cpu/period', retry),
    ]);
    expect(v2({ cpu: { quota: -5, period: 5 } })).to.deep.equal([
      write('cpu', 'cpu.max', 'max 5', 'cpu/quota', retry),
    ]);
    expect(v2({ cpu: { quota: 0, period: 0 } })).to.deep.equal([]);
  });

  it('of memory', () => {
    const optional = { optional: true };
    expect(v2({ memory: { limit: 10, swap: 30, reservation: 5, checkBeforeUpdate: true } })).to.deep.equal([
      check(['memory.current'], 10n, 'limit'),
      check(['memory.current', 'memory.swap.current'], 30n, 'swap'),
      write('memory', 'memory.swap.max', '20', 'memory/swap'),
      write('memory', 'memory.max', '10', 'memory/limit'),
      write('memory', 'memory.low', '5', 'memory/reservation'),
    ]);
    expect(v2({ memory: { limit: -1, checkBeforeUpdate: true } })).to.deep.equal([
      write('memory', 'memory.swap.max', 'max', 'memory/limit', optional),
      write('memory', 'memory.max', 'max', 'memory/limit'),
    ]);
    expect(v2({ memory: { swap: -1, checkBeforeUpdate: true } })).to.deep.equal([
      write('memory', 'memory.swap.max', 'max', 'memory/swap', optional),
    ]);
    // With the limit the cgroup has.
    expect(v2({ memory: { swap: 30 } }, { memory: 10n })).to.deep.equal([
      write('memory', 'memory.swap.max', '20', 'memory/swap'),
    ]);
    expect(v2({ memory: { swap: 30 } }, { memory: 30n })).to.deep.equal([
      write('memory', 'memory.swap.max', '0', 'memory/swap', optional),
    ]);
    expect(v2({ memory: { swap: 30 } }, { memory: -1n })).to.deep.equal([
      write('memory', 'memory.swap.max', '30', 'memory/swap'),
    ]);
    expect(() => v2({ memory: { swap: 30 } }, { memory: 31n }))
      .to.throw('memory+swap limit should be >= memory limit')
      .that.includes({ code: 'config', hint: 'swap is the limit of memory and swap together.' });
  });

  it('of block I/O and the rest', () => {
    expect(
      v2({
        blockIO: {
          weight: 10,
          weightDevice: [{ ...device }, { ...device, weight: 1000 }],
          throttleReadBpsDevice: [{ ...device, rate: 0 }],
          throttleWriteIOPSDevice: [{ ...device, rate: most }],
        },
        pids: { limit: -7 },
        hugepageLimits: [
          { pageSize: '2MB', limit: 1 },
          { pageSize: '1GB', limit: 2 },
        ],
        rdma: { a: { hcaObjects: 1 } },
        unified: { 'a~b.c.d': 'x\n\ny', 'io.z': '' },
      }),
    ).to.deep.equal([
      write('pids', 'pids.max', 'max', 'pids/limit'),
      write('io', 'io.bfq.weight', '10', 'blockIO/weight', { alias: { file: 'io.weight', value: '1' } }),
      write('io', 'io.bfq.weight', '8:16 1000', 'blockIO/weightDevice/1/weight', {
        alias: { file: 'io.weight', value: '8:16 10000' },
      }),
      write('io', 'io.max', '8:16 rbps=max', 'blockIO/throttleReadBpsDevice/0/rate'),
      write('io', 'io.max', '8:16 wiops=18446744073709551615', 'blockIO/throttleWriteIOPSDevice/0/rate'),
      write('hugetlb', 'hugetlb.2MB.max', '1', 'hugepageLimits/0/limit'),
      write('hugetlb', 'hugetlb.2MB.rsvd.max', '1', 'hugepageLimits/0/limit', { optional: true }),
      write('hugetlb', 'hugetlb.1GB.max', '2', 'hugepageLimits/1/limit'),
      write('hugetlb', 'hugetlb.1GB.rsvd.max', '2', 'hugepageLimits/1/limit', { optional: true }),
      write('rdma', 'rdma.max', 'a hca_object=1', 'rdma/a'),
      write('a~b', 'a~b.c.d', 'x', 'unified/a~0b.c.d'),
      write('a~b', 'a~b.c.d', 'y', 'unified/a~0b.c.d'),
    ]);
  });

  it('that cannot be made is a warning of one kind', () => {
    const warnings = (resources: Resources): string[] =>
      ignoredOnV2(resources).map(({ pointer, reason }) => `${pointer.split('/').at(-1) ?? ''}: ${reason}`);
    expect(warnings({ memory: { swappiness: 0xffffffff } })).to.deep.equal([
      'swappiness: cgroup v2 has no such limit',
    ]);
    expect(warnings({ memory: { kernel: 0, kernelTCP: -1 } })).to.deep.equal([]);
    expect(warnings({ blockIO: { weightDevice: [{ ...device, weight: 1 }] } })).to.deep.equal([]);
    expect(warnings({})).to.deep.equal([]);
  });
});

describe('what a step depends on', () => {
  it('is the present quota, where only the period changes', () => {
    expect(needsCurrentQuota({ period: 5 })).to.be.true;
    expect(needsCurrentQuota({ period: 5, quota: 0 })).to.be.true;
    expect(needsCurrentQuota({ period: 5, quota: 5 })).to.be.false;
    expect(needsCurrentQuota({ quota: 5 })).to.be.false;
    expect(needsCurrentQuota({ period: 0 })).to.be.false;
  });

  it('is the present limit of memory, where swap comes alone on v2, or along with it on v1', () => {
    expect(needsCurrentMemory({ swap: 5 })).to.be.true;
    expect(needsCurrentMemory({ swap: 5, limit: 0 })).to.be.true;
    expect(needsCurrentMemory({ swap: 5, limit: 5 })).to.be.false;
    expect(needsCurrentMemory({ swap: -1 })).to.be.false;
    expect(needsCurrentMemory({ swap: 0 })).to.be.false;
    expect(needsCurrentMemory({ limit: 5 })).to.be.false;
    expect(needsCurrentLimit({ limit: 5, swap: 5 })).to.be.true;
    expect(needsCurrentLimit({ limit: 5 })).to.be.false;
    expect(needsCurrentLimit({ swap: 5 })).to.be.false;
    expect(needsCurrentLimit({ limit: 0, swap: 5 })).to.be.false;
  });
});

describe('values of steps', () => {
  it('are written as they are', () => {
    expect(decimal(2n ** 64n - 1n)).to.equal('18446744073709551615');
    expect(decimal(1e21)).to.equal('1000000000000000000000');
    expect(decimal(-1)).to.equal('-1');
    expect([undefined, 0, 0n, 1, -1, 1n].map(isSet)).to.deep.equal([false, false, false, true, true, true]);
  });

  it('are named by their property', () => {
    const [step] = resourceStepsV1({ memory: { limit: 1 } });
    expect(step === undefined ? '' : propertyName(step)).to.equal('memory limit');
  });
});

describe('device rules', () => {
  it('are the same for the same devices, however they are written', () => {
    const rule = { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' };
    const all = { allow: true, type: 'c', access: 'r' };
    expect(sameDeviceRules([rule], [{ ...rule, access: 'mwr' }])).to.be.true;
    expect(sameDeviceRules([all], [{ ...all, major: -1, minor: -1 }])).to.be.true;
    for (const other of [
      { ...rule, allow: false },
      { ...rule, type: 'b' },
      { ...rule, major: 2 },
      { ...rule, minor: 4 },
      { ...rule, access: 'rw' },
    ]) {
      expect(sameDeviceRules([rule], [other]), JSON.stringify(other)).to.be.false;
    }
    for (const number of ['major', 'minor'] as const) {
      for (const value of [0, 1]) {
        expect(sameDeviceRules([all], [{ ...all, [number]: value }]), `${number} ${value}`).to.be.false;
      }
    }
    expect(sameDeviceRules([rule], [])).to.be.false;
  });

  it('are refused by what is wrong with them', () => {
    const refused = (rule: object, pointer: string, message: string): void => {
      expect(() => devicePattern({ allow: true, access: 'r', ...rule }, 3))
        .to.throw(message)
        .that.includes({ code: 'config', pointer: `/linux/resources/devices/3/${pointer}` });
    };
    refused({ type: 'x' }, 'type', 'invalid cgroup device type "x": expected a, b or c');
    refused({ access: '' }, 'access', 'device access cannot be empty: expected some of r, w and m');
    refused({ access: 'xr' }, 'access', 'device access "xr" is invalid: expected some of r, w and m');
    refused({ access: 'rx' }, 'access', 'device access "rx" is invalid: expected some of r, w and m');
  });

  it('speak of the largest numbers of devices, and of none beyond', () => {
    const table = new DeviceTable();
    table.add({ major: 0xfff, minor: 0xfffff, access: 'rw' }, true);
    table.add({ major: 0x1000, minor: 0, access: 'r' }, true);
    table.add({ major: 0, minor: 0x100000, access: 'r' }, true);
    expect(table.allowed(0xfff, 0xfffff)).to.equal(6);
    expect(table.majors()).to.deep.equal([0xfff]);
    expect(table.allowed(0x1000, 0)).to.equal(0);
    expect(table.allowed(0, 0x100000)).to.equal(0);
  });
});
