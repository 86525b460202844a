import { expect } from 'chai';
import type { MemoryResources, Resources } from '../../config/types.ts';
import { cpuWeight } from './cpu.ts';
import { ioWeight } from './io.ts';
import { ignoredOnV2, resourceStepsV2 } from './resources.ts';
import { failure } from '../testing/cgroups.ts';

function v2(resources: Resources, currentQuota?: string): string[] {
  return resourceStepsV2(resources, { quota: currentQuota }).map((step) =>
    step.step === 'write'
      ? `${step.file} ${step.value}`
      : `check ${step.files.join('+')} ${String(step.limit)}`,
  );
}

describe('limits as writes to cgroup v2', () => {
  it('writes nothing for nothing', () => {
    expect(v2({})).to.deep.equal([]);
    expect(v2({ memory: { limit: 0, swap: 0, reservation: 0 }, cpu: { shares: 0, quota: 0 } })).to.deep.equal(
      [],
    );
  });

  for (const [memory, expected] of [
    [{ limit: 4096 }, ['memory.max 4096']],
    [{ limit: 4096, swap: 8192 }, ['memory.swap.max 4096', 'memory.max 4096']],
    [{ limit: 4096, swap: 4096 }, ['memory.swap.max 0', 'memory.max 4096']],
    [{ limit: 4096, swap: -1 }, ['memory.swap.max max', 'memory.max 4096']],
    [{ limit: -1 }, ['memory.swap.max max', 'memory.max max']],
    [{ limit: -1, swap: 8192 }, ['memory.swap.max 8192', 'memory.max max']],
    [{ swap: -1 }, ['memory.swap.max max']],
    [{ limit: 9223372036854771712n, reservation: -1 }, ['memory.max 9223372036854771712', 'memory.low max']],
    [
      { limit: 4096, swap: 8192, checkBeforeUpdate: true },
      [
        'check memory.current 4096',
        'check memory.current+memory.swap.current 8192',
        'memory.swap.max 4096',
        'memory.max 4096',
      ],
    ],
  ] as [MemoryResources, string[]][]) {
    it(`writes ${expected.join(', ')}`, () => {
      expect(v2({ memory })).to.deep.equal(expected);
    });
  }

  for (const [memory, text] of [
    [{ swap: 8192 }, 'unable to set swap limit without memory limit'],
    [{ limit: 8192, swap: 4096 }, 'memory+swap limit should be >= memory limit'],
    [{ limit: -2, swap: 4096 }, 'invalid memory limit -2'],
  ] as const) {
    it(`refuses: ${text}`, () => {
      const error = failure(() => v2({ memory }));
      expect(error.message).to.equal(text);
      expect(error.pointer).to.equal('/linux/resources/memory/swap');
    });
  }

  it('does not need swap to forbid or to lift it', () => {
    const optional = (memory: MemoryResources): unknown => resourceStepsV2({ memory })[0];
    expect(optional({ limit: 1, swap: 1 })).to.include({ optional: true });
    expect(optional({ limit: 1, swap: -1 })).to.include({ optional: true });
    expect(optional({ limit: 1, swap: 2 })).not.to.include({ optional: true });
  });

  it('converts shares through the defaults of both versions', () => {
    for (const [shares, weight] of [
      [2, 1],
      [1, 1],
      [3, 2],
      [512, 59],
      [1024, 100],
      [2048, 174],
      [262144, 10000],
      [1000000n, 10000],
    ] as const) {
      expect(cpuWeight(shares), String(shares)).to.equal(weight);
    }
  });

  it('writes cpu limits', () => {
    expect(
      v2({ cpu: { shares: 1024, quota: 50000, period: 20000, burst: 10, cpus: '0', mems: '0' } }),
    ).to.deep.equal([
      'cpuset.cpus 0',
      'cpuset.mems 0',
      'cpu.weight 100',
      'cpu.max.burst 10',
      'cpu.max 50000 20000',
    ]);
    expect(v2({ cpu: { quota: -1 } })).to.deep.equal(['cpu.max max']);
    expect(v2({ cpu: { quota: 7000 } })).to.deep.equal(['cpu.max 7000']);
  });

  it('tries a burst again once there is the quota it must fit in', () => {
    const steps = resourceStepsV2({ cpu: { quota: 50000, burst: 10 } });
    const [burst, quota] = steps;
    expect(burst).to.include({ file: 'cpu.max.burst', retry: true });
    expect(quota).to.include({ file: 'cpu.max', retry: true });
    expect(burst).not.to.have.property('optional');
    // None is what it has; a kernel that knows no burst has none.
    expect(resourceStepsV2({ cpu: { burst: 0 } })[0]).to.include({ file: 'cpu.max.burst', optional: true });
  });

  it('keeps the quota when only the period changes', () => {
    expect(v2({ cpu: { period: 20000 } })).to.deep.equal(['cpu.max max 20000']);
    expect(v2({ cpu: { period: 20000 } }, '5000')).to.deep.equal(['cpu.max 5000 20000']);
  });

  it('sets a weight while the group is not idle', () => {
    expect(v2({ cpu: { idle: 1, shares: 1024 } })).to.deep.equal(['cpu.weight 100', 'cpu.idle 1']);
    expect(v2({ cpu: { idle: 0, shares: 1024 } })).to.deep.equal(['cpu.idle 0', 'cpu.weight 100']);
  });

  it('writes block I/O limits, weights for either scheduler', () => {
    const device = { major: 8, minor: 16 };
    const blockIO = {
      weight: 1000,
      weightDevice: [{ ...device, weight: 10 }],
      throttleReadBpsDevice: [{ ...device, rate: 1 }],
      throttleWriteBpsDevice: [{ ...device, rate: 2 }],
      throttleReadIOPSDevice: [{ ...device, rate: 3 }],
      throttleWriteIOPSDevice: [{ ...device, rate: 0 }],
    };
    expect(v2({ blockIO })).to.deep.equal([
      'io.bfq.weight 1000',
      'io.bfq.weight 8:16 10',
      'io.max 8:16 rbps=1',
      'io.max 8:16 wbps=2',
      'io.max 8:16 riops=3',
      'io.max 8:16 wiops=max',
    ]);
    const [group, perDevice] = resourceStepsV2({ blockIO });
    expect(group).to.deep.include({ alias: { file: 'io.weight', value: '10000' } });
    expect(perDevice).to.deep.include({ alias: { file: 'io.weight', value: '8:16 1' } });
    expect(ioWeight(100)).to.equal(910);
  });

  it('writes the rest', () => {
    expect(
      v2({
        pids: { limit: -1 },
        hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }],
        rdma: { mlx5_1: { hcaHandles: 3 } },
      }),
    ).to.deep.equal([
      'pids.max max',
      'hugetlb.2MB.max 4194304',
      'hugetlb.2MB.rsvd.max 4194304',
      'rdma.max mlx5_1 hca_handle=3',
    ]);
  });

  it('writes unified values last, line by line', () => {
    const steps = resourceStepsV2({
      memory: { limit: 4096 },
      unified: { 'memory.high': '1000', 'io.max': '8:0 rbps=1\n8:16 wbps=2\n' },
    });
    expect(
      steps.map((step) => (step.step === 'write' ? `${step.controller} ${step.file} ${step.value}` : '')),
    ).to.deep.equal([
      'memory memory.max 4096',
      'memory memory.high 1000',
      'io io.max 8:0 rbps=1',
      'io io.max 8:16 wbps=2',
    ]);
    expect(steps[1]?.pointer).to.equal('/linux/resources/unified/memory.high');
  });

  for (const [name, text] of [
    ['../memory.max', 'must be a file name (no slashes)'],
    ['memory', 'must be in the form CONTROLLER.PARAMETER'],
    ['.max', 'must be in the form CONTROLLER.PARAMETER'],
  ] as const) {
    it(`refuses ${name} in unified`, () => {
      const error = failure(() => v2({ unified: { [name]: '1' } }));
      expect(error.message).to.contain(text);
      expect(error.pointer).to.equal(`/linux/resources/unified/${name.replace('/', '~1')}`);
    });
  }

  it('tries again what may depend on another write of the same controller, and nothing else', () => {
    const steps = resourceStepsV2({
      cpu: { shares: 1024, quota: 50000, period: 20000, burst: 10, cpus: '0', mems: '0' },
      memory: { limit: 4096, swap: 8192 },
      pids: { limit: 1 },
    });
    const tried = steps.filter((step) => step.step === 'write' && step.retry === true);
    expect(tried.map((step) => step.step === 'write' && step.file)).to.deep.equal([
      'cpu.max.burst',
      'cpu.max',
    ]);
  });

  it('says what it cannot do', () => {
    expect(
      ignoredOnV2({
        memory: { kernel: 1, kernelTCP: 1, swappiness: 0, disableOOMKiller: true, useHierarchy: false },
        cpu: { realtimeRuntime: 1, realtimePeriod: 1 },
        blockIO: { leafWeight: 1, weightDevice: [{ major: 1, minor: 1, leafWeight: 5 }] },
        network: { classID: 1, priorities: [{ name: 'lo', priority: 1 }] },
      }).map(({ pointer }) => pointer.replace('/linux/resources/', '')),
    ).to.deep.equal([
      'memory/kernel',
      'memory/kernelTCP',
      'memory/swappiness',
      'memory/disableOOMKiller',
      'memory/useHierarchy',
      'cpu/realtimeRuntime',
      'cpu/realtimePeriod',
      'blockIO/leafWeight',
      'blockIO/weightDevice',
      'network/classID',
      'network/priorities',
    ]);
    expect(
      ignoredOnV2({
        memory: {
          kernel: -1,
          swappiness: 18446744073709551615n,
          disableOOMKiller: false,
          useHierarchy: true,
        },
        network: { classID: 0, priorities: [] },
      }),
    ).to.deep.equal([]);
  });
});
