import { expect } from 'chai';
import { expectations } from './expectations.ts';
import type { Facts } from './facts.ts';

/** A machine on which nothing stands in the way of a test. */
const bestMachine: Facts = {
  cgroupV1: true,
  hugetlb: true,
  networkCgroups: true,
  leafWeight: true,
  kernelMemory: true,
  missingCapabilities: [],
  appArmorProfile: true,
  cpus: 8,
};

function reasons(facts: Facts): string[] {
  return [...expectations(facts)].filter(([, { reason }]) => reason !== undefined).map(([name]) => name);
}

describe('expectations', () => {
  it('the expectations know every test of the suite', () => {
    expect(expectations(bestMachine).size).to.equal(58);
  });

  it('the expectations give a reason for everything but a pass', () => {
    const poor = { ...bestMachine, cgroupV1: false, missingCapabilities: ['CAP_SYS_RESOURCE'], cpus: 1 };
    for (const facts of [bestMachine, poor]) {
      for (const [name, { verdict, reason }] of expectations(facts)) {
        expect(reason === undefined, name).to.equal(verdict === 'pass');
      }
    }
  });

  it('the expectations follow what the machine has', () => {
    const without = (change: Partial<Facts>): string[] => {
      const always = reasons(bestMachine);
      return reasons({ ...bestMachine, ...change }).filter((name) => !always.includes(name));
    };
    expect(without({ leafWeight: false })).to.have.members([
      'linux_cgroups_blkio',
      'linux_cgroups_relative_blkio',
    ]);
    expect(without({ missingCapabilities: ['CAP_BPF'] })).to.deep.equal(['process_capabilities']);
    expect(without({ cgroupV1: false })).to.include('linux_cgroups_cpus');
  });
});
