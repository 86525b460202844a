import { error, type Report, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { accessLetters, isHugePageSize, isUnsetSwappiness } from '../resource-values.ts';
import type { Config, Integer, Resources } from '../types.ts';

/** config-linux.md, "Cgroups Path": it must stay below the cgroup mount. */
export function cgroupsPath({ linux }: Config, report: Report): void {
  if ((linux?.cgroupsPath ?? '').split('/').includes('..')) {
    report(error('/linux/cgroupsPath', 'must not have ".." in it'));
  }
}

/** config-linux.md, "Control groups". */
export function resources(given: Resources, report: Report): void {
  for (const rule of resourceRules) rule(given, '/linux/resources', report);
}

const resourceRules = [deviceRules, memory, cpu, blockIO, hugepages, network, rdma, unified];

function deviceRules({ devices }: Resources, at: string, report: Report): void {
  for (const [i, { access = '' }] of (devices ?? []).entries()) {
    const pointer = pointerTo(at, 'devices', i, 'access');
    if (access === '') report(error(pointer, 'must not be empty', 'Give some of r, w and m.'));
    else if (!/^[rwma]+$/.test(access)) report(error(pointer, 'may have only the letters r, w and m'));
    else if (accessLetters(access) === '') report(error(pointer, 'must have one of the letters r, w and m'));
    else if (access.includes('a'))
      report(warning(pointer, 'the letter a means nothing here and is left out'));
  }
}

function memory({ memory }: Resources, at: string, report: Report): void {
  const { limit, swap, swappiness = 0 } = memory ?? {};
  if (swappiness > 100 && !isUnsetSwappiness(swappiness)) {
    report(error(`${at}/memory/swappiness`, 'must be a whole number from 0 to 100'));
  }
  if (isLimit(limit) && isLimit(swap) && swap < limit) {
    report(
      error(`${at}/memory/swap`, `memory and swap together must not be below the memory limit (${limit})`),
    );
  }
}

/** 0 is what programs write for "not set", -1 is no limit. */
function isLimit(value: Integer | undefined): value is Integer {
  return value !== undefined && value > 0;
}

function cpu({ cpu }: Resources, at: string, report: Report): void {
  const { quota, burst, cpus, mems } = cpu ?? {};
  if (isLimit(quota) && burst !== undefined && burst > quota) {
    report(error(`${at}/cpu/burst`, `must not be above the quota (${quota})`));
  }
  for (const [name, list] of [
    ['cpus', cpus],
    ['mems', mems],
  ] as const) {
    // bitmap_parselist of the kernel: also strides (0-7:2/4), N for the last one, "all".
    if (list !== undefined && !/^(?:[\d\s,:/N-]*|all)$/.test(list)) {
      report(error(pointerTo(at, 'cpu', name), 'must be a list like 0-3,7'));
    }
  }
}

function blockIO({ blockIO }: Resources, at: string, report: Report): void {
  for (const [i, { weight, leafWeight }] of (blockIO?.weightDevice ?? []).entries()) {
    if (weight === undefined && leafWeight === undefined) {
      report(error(pointerTo(at, 'blockIO', 'weightDevice', i), 'needs weight or leafWeight'));
    }
  }
}

function hugepages({ hugepageLimits }: Resources, at: string, report: Report): void {
  for (const [i, { pageSize }] of (hugepageLimits ?? []).entries()) {
    if (!isHugePageSize(pageSize)) {
      report(error(pointerTo(at, 'hugepageLimits', i, 'pageSize'), 'must be a size like 64KB, 2MB or 1GB'));
    }
  }
}

/** The names are written to net_prio.ifpriomap, one line each. */
function network({ network }: Resources, at: string, report: Report): void {
  for (const [i, { name }] of (network?.priorities ?? []).entries()) {
    if (!/^[^\s/]+$/.test(name)) {
      report(
        error(pointerTo(at, 'network', 'priorities', i, 'name'), 'is not the name of a network interface'),
      );
    }
  }
}

function rdma({ rdma }: Resources, at: string, report: Report): void {
  for (const [device, limits] of Object.entries(rdma ?? {})) {
    const pointer = pointerTo(at, 'rdma', device);
    if (!/^[^\s/]+$/.test(device)) report(error(pointer, 'is not the name of an RDMA device'));
    if (limits.hcaHandles === undefined && limits.hcaObjects === undefined) {
      report(error(pointer, 'needs hcaHandles or hcaObjects'));
    }
  }
}

/** config-linux.md, "Unified": names of files in the container's own cgroup directory. */
function unified({ unified }: Resources, at: string, report: Report): void {
  for (const [name, value] of Object.entries(unified ?? {})) {
    const pointer = pointerTo(at, 'unified', name);
    if (name.includes('/')) report(error(pointer, 'must be a file name (no slashes)'));
    else if (!/^[^.]+\../.test(name)) report(error(pointer, 'must be in the form CONTROLLER.PARAMETER'));
    else if (value === '') report(warning(pointer, 'is empty: nothing is written'));
  }
}
