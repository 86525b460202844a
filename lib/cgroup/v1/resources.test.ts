import { expect } from 'chai';
import type { Resources } from '../../config/types.ts';
import { deviceStepsV1, defaultDeviceRules } from './devices.ts';
import { failure } from '../testing/cgroups.ts';
import { resourceStepsV1 } from './resources.ts';
import type { CgroupStep } from '../cgroup-write.ts';

/** Each step as one line: `file value`, with the pointer's part below /linux/resources. */
function lines(steps: readonly CgroupStep[]): string[] {
  return steps.map((step) =>
    step.step === 'write'
      ? `${step.file} ${step.value}`
      : `check ${step.files.join('+')} ${String(step.limit)}`,
  );
}

function pointers(steps: readonly CgroupStep[]): string[] {
  return steps.map(({ pointer }) => pointer.replace('/linux/resources/', ''));
}

const v1 = (resources: Resources, memoryLimit?: bigint): string[] =>
  lines(resourceStepsV1(resources, memoryLimit));

describe('limits as writes to cgroup v1', () => {
  it('writes nothing for nothing', () => {
    expect(v1({})).to.deep.equal([]);
    expect(
      v1({ memory: {}, cpu: { cpus: '' }, pids: {}, blockIO: {}, network: {}, rdma: { hca0: {} } }),
    ).to.deep.equal([]);
  });

  it('knows where each value comes from', () => {
    const steps = resourceStepsV1({
      memory: { limit: 4096 },
      cpu: { cpus: '0', shares: 2 },
      pids: { limit: 1 },
      blockIO: {
        weightDevice: [{ major: 8, minor: 0, weight: 10, leafWeight: 20 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 5 }],
      },
      hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
      network: { classID: 1, priorities: [{ name: 'lo', priority: 3 }] },
      rdma: { 'a/b': { hcaHandles: 1 } },
    });
    expect(pointers(steps)).to.deep.equal([
      'cpu/cpus',
      'cpu/shares',
      'memory/limit',
      'pids/limit',
      'blockIO/weightDevice/0/weight',
      'blockIO/weightDevice/0/leafWeight',
      'blockIO/throttleWriteIOPSDevice/0/rate',
      'hugepageLimits/0/limit',
      'hugepageLimits/0/limit',
      'network/classID',
      'network/priorities/0',
      'rdma/a~1b',
    ]);
  });

  describe('memory', () => {
    it('keeps 64 bits exact', () => {
      expect(v1({ memory: { limit: 9223372036854771712n, kernelTCP: 18446744073709551615n } })).to.deep.equal(
        ['memory.limit_in_bytes 9223372036854771712', 'memory.kmem.tcp.limit_in_bytes 18446744073709551615'],
      );
    });

    it('takes 0 as not set', () => {
      expect(v1({ memory: { limit: 0, swap: 0, reservation: 0, kernel: 0, kernelTCP: 0n } })).to.deep.equal(
        [],
      );
    });

    it('limits a new cgroup before its swap', () => {
      expect(v1({ memory: { limit: 4096, swap: 8192 } })).to.deep.equal([
        'memory.limit_in_bytes 4096',
        'memory.memsw.limit_in_bytes 8192',
      ]);
    });

    it('raises swap before memory and lowers memory before swap', () => {
      const raised = v1({ memory: { limit: 8192, swap: 16384 } }, 4096n);
      expect(raised[0]).to.equal('memory.memsw.limit_in_bytes 16384');
      const lowered = v1({ memory: { limit: 4096, swap: 8192 } }, 65536n);
      expect(lowered[0]).to.equal('memory.limit_in_bytes 4096');
    });

    it('lifts swap first, also when only memory is to be unlimited', () => {
      expect(v1({ memory: { limit: 4096, swap: -1 } })[0]).to.equal('memory.memsw.limit_in_bytes -1');
      const steps = resourceStepsV1({ memory: { limit: -1 } });
      expect(lines(steps)).to.deep.equal(['memory.memsw.limit_in_bytes -1', 'memory.limit_in_bytes -1']);
      expect(steps[0]).to.include({ optional: true });
    });

    it('writes the rest', () => {
      expect(
        v1({
          memory: {
            reservation: 4096,
            kernel: 8192,
            kernelTCP: -1,
            swappiness: 0,
            disableOOMKiller: true,
            useHierarchy: false,
          },
        }),
      ).to.deep.equal([
        'memory.kmem.limit_in_bytes 8192',
        'memory.kmem.tcp.limit_in_bytes -1',
        'memory.soft_limit_in_bytes 4096',
        'memory.use_hierarchy 0',
        'memory.oom_control 1',
        'memory.swappiness 0',
      ]);
    });

    it('takes a swappiness of -1, as engines write it without a sign, as not set', () => {
      expect(v1({ memory: { swappiness: 18446744073709551615n } })).to.deep.equal([]);
    });

    it('checks before an update when told to', () => {
      expect(v1({ memory: { limit: 4096, swap: -1, checkBeforeUpdate: true } })[0]).to.equal(
        'check memory.usage_in_bytes 4096',
      );
      expect(v1({ memory: { swap: 8192, checkBeforeUpdate: true } })[0]).to.equal(
        'check memory.memsw.usage_in_bytes 8192',
      );
    });
  });

  describe('cpu', () => {
    it('writes all of it', () => {
      expect(
        v1({
          cpu: {
            shares: 512,
            quota: -1,
            burst: 1000,
            period: 50000,
            realtimeRuntime: 950,
            realtimePeriod: 1000,
            cpus: '0-1',
            mems: '0',
          },
        }),
      ).to.deep.equal([
        'cpuset.cpus 0-1',
        'cpuset.mems 0',
        'cpu.shares 512',
        'cpu.cfs_burst_us 1000',
        'cpu.cfs_period_us 50000',
        'cpu.cfs_quota_us -1',
        'cpu.rt_period_us 1000',
        'cpu.rt_runtime_us 950',
      ]);
    });

    it('sets shares while the group is not idle', () => {
      expect(v1({ cpu: { idle: 1, shares: 5 } })).to.deep.equal(['cpu.shares 5', 'cpu.idle 1']);
      expect(v1({ cpu: { idle: 0, shares: 5 } })).to.deep.equal(['cpu.idle 0', 'cpu.shares 5']);
    });

    it('refuses shares the kernel would change silently', () => {
      const low = failure(() => v1({ cpu: { shares: 1 } }));
      expect(low.message).to.contain('the minimum allowed cpu-shares is 2');
      expect(low.pointer).to.equal('/linux/resources/cpu/shares');
      expect(v1({ cpu: { shares: 2 } })).to.deep.equal(['cpu.shares 2']);
      expect(v1({ cpu: { shares: 262144 } })).to.deep.equal(['cpu.shares 262144']);
      const high = failure(() => v1({ cpu: { shares: 262145 } }));
      expect(high.message).to.contain('the maximum allowed cpu-shares is 262144');
    });
  });

  it('counts 0 processes as a limit and any negative number as none', () => {
    expect(v1({ pids: { limit: 0 } })).to.deep.equal(['pids.max 1']);
    expect(v1({ pids: { limit: -1 } })).to.deep.equal(['pids.max max']);
    expect(v1({ pids: { limit: 4096n } })).to.deep.equal(['pids.max 4096']);
  });

  it('writes block I/O per device', () => {
    const device = { major: 254, minor: 0 };
    expect(
      v1({
        blockIO: {
          weight: 300,
          leafWeight: 200,
          weightDevice: [{ ...device, weight: 100, leafWeight: 50 }],
          throttleReadBpsDevice: [{ ...device, rate: 9007199254740993n }],
          throttleWriteBpsDevice: [{ ...device, rate: 2 }],
          throttleReadIOPSDevice: [{ ...device, rate: 3 }],
          throttleWriteIOPSDevice: [{ ...device, rate: 0 }],
        },
      }),
    ).to.deep.equal([
      'blkio.bfq.weight 300',
      'blkio.leaf_weight 200',
      'blkio.bfq.weight_device 254:0 100',
      'blkio.leaf_weight_device 254:0 50',
      'blkio.throttle.read_bps_device 254:0 9007199254740993',
      'blkio.throttle.write_bps_device 254:0 2',
      'blkio.throttle.read_iops_device 254:0 3',
      'blkio.throttle.write_iops_device 254:0 0',
    ]);
  });

  it('limits huge pages and their reservations', () => {
    expect(v1({ hugepageLimits: [{ pageSize: '1GB', limit: 9223372036854771712n }] })).to.deep.equal([
      'hugetlb.1GB.limit_in_bytes 9223372036854771712',
      'hugetlb.1GB.rsvd.limit_in_bytes 9223372036854771712',
    ]);
  });

  it('leaves it to the kernel which sizes there are', () => {
    const [write] = v1({ hugepageLimits: [{ pageSize: '1TB', limit: 1 }] });
    expect(write).to.equal('hugetlb.1TB.limit_in_bytes 1');
  });

  for (const pageSize of ['../../memory', '2M', '0MB', '2MB.', '', '2MB/x']) {
    it(`refuses "${pageSize}" as a huge page size`, () => {
      const error = failure(() => v1({ hugepageLimits: [{ pageSize, limit: 1 }] }));
      expect(error.pointer).to.equal('/linux/resources/hugepageLimits/0/pageSize');
    });
  }

  it('writes network and rdma limits', () => {
    expect(
      v1({
        network: { classID: 1048577, priorities: [{ name: 'eth0', priority: 0 }] },
        rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 }, mlx4_0: { hcaObjects: 0 } },
      }),
    ).to.deep.equal([
      'net_cls.classid 1048577',
      'net_prio.ifpriomap eth0 0',
      'rdma.max mlx5_1 hca_handle=3 hca_object=10000',
      'rdma.max mlx4_0 hca_object=0',
    ]);
  });

  it('refuses unified limits', () => {
    const error = failure(() => v1({ unified: { 'memory.max': '1' } }));
    expect(error.message).to.contain('cannot use unified on cgroup v1');
    expect(error.pointer).to.equal('/linux/resources/unified');
    expect(v1({ unified: {} })).to.deep.equal([]);
  });
});

describe('device rules for cgroup v1', () => {
  const denyAll = { allow: false, access: 'rwm' };
  const defaults = defaultDeviceRules.map((rule) => `devices.allow ${rule}`);

  it('denies everything but the defaults when there are none', () => {
    expect(lines(deviceStepsV1([]))).to.deep.equal(['devices.deny a', ...defaults]);
  });

  it("keeps the config's order, defaults last", () => {
    const steps = deviceStepsV1([
      denyAll,
      { allow: true, type: 'c', major: 10, minor: 229, access: 'mr' },
      { allow: true, type: 'b', major: -1, access: 'rw' },
      { allow: false, type: 'c', major: 10, minor: 229, access: 'm' },
    ]);
    expect(lines(steps)).to.deep.equal([
      'devices.deny a',
      'devices.allow c 10:229 rm',
      'devices.allow b *:* rw',
      'devices.deny c 10:229 m',
      ...defaults,
    ]);
    expect(pointers(steps).slice(0, 5)).to.deep.equal([
      'devices/0',
      'devices/1',
      'devices/2',
      'devices/3',
      'devices',
    ]);
  });

  it('starts from nothing when no rule says so', () => {
    const steps = deviceStepsV1([{ allow: true, type: 'b', major: 7, minor: 0, access: 'r' }]);
    expect(lines(steps).slice(0, 2)).to.deep.equal(['devices.deny a', 'devices.allow b 7:0 r']);
  });

  it('writes one rule for a container that may use everything', () => {
    expect(lines(deviceStepsV1([denyAll, { allow: true, access: 'rwm' }]))).to.deep.equal([
      'devices.allow a',
    ]);
    expect(lines(deviceStepsV1([{ allow: true, type: 'a', access: 'mwr' }]))).to.deep.equal([
      'devices.allow a',
    ]);
  });

  it('keeps what is denied after everything was allowed, and then the defaults', () => {
    const steps = deviceStepsV1([
      { allow: true, access: 'rwm' },
      { allow: false, type: 'b', major: 8, minor: 0, access: 'w' },
    ]);
    expect(lines(steps)).to.deep.equal(['devices.allow a', 'devices.deny b 8:0 w', ...defaults]);
  });

  it('does not widen a rule for all types that names an access or a number', () => {
    expect(lines(deviceStepsV1([{ allow: true, access: 'r' }])).slice(0, 3)).to.deep.equal([
      'devices.deny a',
      'devices.allow b *:* r',
      'devices.allow c *:* r',
    ]);
    expect(
      lines(deviceStepsV1([{ allow: true, type: 'a', major: 1, access: 'rwm' }])).slice(1, 3),
    ).to.deep.equal(['devices.allow b 1:* rwm', 'devices.allow c 1:* rwm']);
  });

  for (const [rule, pointer] of [
    [{ allow: true, type: 'p', access: 'r' }, 'type'],
    [{ allow: true, type: 'c 1:1 rwm', access: 'r' }, 'type'],
    [{ allow: true, type: 'c' }, 'access'],
    [{ allow: true, type: 'c', access: '' }, 'access'],
    [{ allow: true, type: 'c', access: 'rx' }, 'access'],
  ] as const) {
    it(`refuses ${JSON.stringify(rule)}`, () => {
      expect(failure(() => deviceStepsV1([denyAll, rule])).pointer).to.equal(
        `/linux/resources/devices/1/${pointer}`,
      );
    });
  }
});
