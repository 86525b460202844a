/** What the cgroup managers would say of a config, without a write. */
import { accessSync, constants, existsSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, TsrunError } from '../core/error.ts';
import { errnoText } from '../core/errno.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Finding } from '../core/finding.ts';
import { error, warning } from '../core/finding.ts';
import { isListWithin } from '../config/number-list.ts';
import type { Resources } from '../config/types.ts';
import { isThere, requireVacant } from './freeze.ts';
import { controllersOf } from './v2/controllers.ts';
import { devicesPointer } from './device-rules.ts';
import { noCgroup } from './write-limits.ts';
import { readValue } from './files.ts';
import { isFreezingV1 } from './v1/freezer.ts';
import { isFreezingV2 } from './v2/freezer.ts';
import { lostDeviceRules } from './lost-device-rules.ts';
import { refusal } from './write-error.ts';
import { ignoredOnV2, resourceStepsV2 } from './v2/resources.ts';
import { resourceStepsV1 } from './v1/resources.ts';
import { nearestExisting, offersFile } from './sample.ts';
import type { CgroupStep, CgroupWrite } from './cgroup-write.ts';
import { resourcesPointer } from './cgroup-write.ts';
import type { CgroupRecord } from './record.ts';

const ENOENT = 2;

/** Everything that create() and apply() of the record's manager would refuse or ignore, as far as can be told. */
export function foreseeCgroups(
  record: CgroupRecord,
  resources: Resources = {},
  kernel: HostFacts['kernel'],
): Finding[] {
  return [
    ...foreseeDirectories(record),
    ...foreseeDeviceRules(record, resources),
    ...(record.version === 2 ? ignoredOnV2(resources).map(ignored) : []),
    ...foreseeLimits(record, resources, kernel),
  ];
}

function ignored({ pointer, reason }: Finding): Finding {
  return warning(pointer, `ignored: ${reason}`);
}

/** A cgroup must be vacant, and possible to make. */
function foreseeDirectories({ paths, version }: CgroupRecord): Finding[] {
  const pointer = '/linux/cgroupsPath';
  const isFrozen = version === 1 ? isFreezingV1 : isFreezingV2;
  for (const directory of Object.values(paths)) {
    try {
      if (isThere(directory)) requireVacant(directory, isFrozen);
    } catch (failure) {
      if (!(failure instanceof TsrunError)) throw failure;
      return [error(pointer, failure.reason, failure.hint)];
    }
    const parent = nearestExisting(directory);
    try {
      accessSync(parent, constants.W_OK);
    } catch (failure) {
      const why = errnoText(errnoOf(failure) ?? 0);
      return [error(pointer, `a cgroup cannot be made in ${parent}: ${why}`)];
    }
  }
  return [];
}

function foreseeDeviceRules(record: CgroupRecord, resources: Resources): Finding[] {
  const why = lostDeviceRules(record, resources);
  return why === undefined ? [] : [warning(devicesPointer, `ignored: ${why}`)];
}

const limits = ['memory', 'cpu', 'pids', 'blockIO', 'hugepageLimits', 'network', 'rdma', 'unified'] as const;

function foreseeLimits(record: CgroupRecord, resources: Resources, kernel: HostFacts['kernel']): Finding[] {
  const findings: Finding[] = [];
  for (const name of limits) {
    const value = resources[name];
    if (value === undefined) continue;
    try {
      // One by one: each may be refused for a reason of its own.
      const one = { [name]: value };
      const steps = record.version === 1 ? resourceStepsV1(one) : resourceStepsV2(one);
      findings.push(...steps.flatMap((step) => foreseeStep(record, step, kernel)));
    } catch (refused) {
      if (!(refused instanceof TsrunError)) throw refused;
      findings.push(findingOf(refused));
    }
  }
  return findings.filter(isFirstOfItsPointer);
}

function isFirstOfItsPointer({ pointer }: Finding, index: number, all: readonly Finding[]): boolean {
  return all.findIndex((other) => other.pointer === pointer) === index;
}

function findingOf({ pointer = resourcesPointer, reason, hint }: TsrunError): Finding {
  return error(pointer, reason, hint);
}

function foreseeStep(record: CgroupRecord, step: CgroupStep, kernel: HostFacts['kernel']): Finding[] {
  const directory = directoryOf(record, step.controller);
  if (directory === undefined) return [findingOf(noCgroup(step))];
  if (step.step === 'check') return [];
  return [...foreseeFile(directory, step, kernel), ...foreseeCpuset(directory, step)];
}

/** The container's directory for a controller, made or not; undefined when it will have none. */
function directoryOf({ version, paths, shared }: CgroupRecord, controller: string): string | undefined {
  if (version === 1) return paths[shared[controller] ?? controller];
  const directory = paths[''];
  if (directory === undefined || controller === 'cgroup') return directory;
  return controllersOf(nearestExisting(directory)).includes(controller) ? directory : undefined;
}

/** Files whose values kernels take and forget, and since when. */
const inertSince: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  'memory.kmem.limit_in_bytes': [5, 16],
};

function foreseeFile(directory: string, step: CgroupWrite, kernel: HostFacts['kernel']): Finding[] {
  const { file, alias, optional, unused, pointer, controller } = step;
  const files = alias === undefined ? [file] : [file, alias.file];
  const offers = files.map((name) => offersFile(directory, name, controller));
  if (offers.every((offered) => offered === false)) {
    if (optional === true) return [];
    if (unused !== undefined) return [warning(pointer, `ignored: ${unused.message}`)];
    return [findingOf(refusal(step, `${directory}/${file}`, ENOENT))];
  }
  const [major, minor] = inertSince[file] ?? [Infinity, 0];
  const isInert = kernel.major > major || (kernel.major === major && kernel.minor >= minor);
  return isInert && unused !== undefined ? [warning(pointer, `ignored: ${unused.message}`)] : [];
}

/** A cgroup has only processors and memory nodes that its parent has. */
function foreseeCpuset(directory: string, { controller, file, value, pointer }: CgroupWrite): Finding[] {
  if (controller !== 'cpuset' || (file !== 'cpuset.cpus' && file !== 'cpuset.mems')) return [];
  const parent = nearestExisting(posix.dirname(directory));
  const kind = file.slice('cpuset.'.length);
  const sources = [`${parent}/cpuset.${kind}.effective`, `${parent}/cpuset.effective_${kind}`];
  const source = sources.find((path) => existsSync(path));
  if (source === undefined) return [];
  const available = readValue(source);
  if (isListWithin(value, available)) return [];
  return [error(pointer, `only ${available} can be had, which is what ${parent} has`)];
}
