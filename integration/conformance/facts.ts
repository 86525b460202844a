import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { capabilityNumbers } from '../../lib/config/capabilities.ts';
import { controllerMount } from '../harness/cgroups.ts';
import { statusField } from '../harness/processes.ts';

/** What of this machine decides whether a test can pass. */
export interface Facts {
  /** The suite reads cgroups of version 1 only. */
  cgroupV1: boolean;
  hugetlb: boolean;
  /** Both net_cls and net_prio. */
  networkCgroups: boolean;
  /** blkio.leaf_weight was CFQ's, which left with Linux 5.0. */
  leafWeight: boolean;
  /** The kernel keeps what is written to memory.kmem.limit_in_bytes; since Linux 5.16 it does not. */
  kernelMemory: boolean;
  /** Capabilities the kernel has and we have not. */
  missingCapabilities: string[];
  /** The AppArmor profile the suite asks for. */
  appArmorProfile: boolean;
  cpus: number;
}

export function readFacts(): Facts {
  const memory = newCgroup('memory');
  const blkio = newCgroup('blkio');
  try {
    return {
      cgroupV1: readFileSync('/proc/self/mountinfo', 'utf8').includes(' - cgroup '),
      hugetlb: controllerMount('hugetlb') !== undefined,
      networkCgroups: ['net_cls', 'net_prio'].every((name) => controllerMount(name) !== undefined),
      leafWeight: blkio !== undefined && existsSync(join(blkio, 'blkio.leaf_weight')),
      kernelMemory: memory !== undefined && keeps(join(memory, 'memory.kmem.limit_in_bytes'), '50593792'),
      missingCapabilities: missingCapabilities(),
      appArmorProfile: profiles().includes('acme_secure_profile'),
      cpus: availableParallelism(),
    };
  } finally {
    for (const folder of [memory, blkio]) if (folder !== undefined) rmdirSync(folder);
  }
}

/** A cgroup without processes, to look at its files: the root of a hierarchy lacks some. */
function newCgroup(controller: string): string | undefined {
  const mountpoint = controllerMount(controller);
  if (mountpoint === undefined) return undefined;
  const folder = join(mountpoint, `tsrun-conformance-${process.pid}`);
  mkdirSync(folder);
  return folder;
}

function keeps(file: string, value: string): boolean {
  try {
    writeFileSync(file, value);
    return readFileSync(file, 'utf8').trim() === value;
  } catch {
    return false;
  }
}

function missingCapabilities(): string[] {
  const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
  const bounding = BigInt(`0x${statusField(process.pid, 'CapBnd')}`);
  return [...capabilityNumbers]
    .filter(([, number]) => number <= last && (bounding & (1n << BigInt(number))) === 0n)
    .map(([name]) => name);
}

/** apparmor(7): the loaded profiles, by name. */
function profiles(): string[] {
  try {
    return readFileSync('/sys/kernel/security/apparmor/profiles', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');
  } catch {
    return [];
  }
}
