/** What the cgroup managers would refuse or ignore, found without a write: for `validate`. */
import { accessSync, constants, existsSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOrRethrow, errnos, errnoText } from '../core/errno.ts';
import { TsrunError } from '../core/error.ts';
import { error, type Finding, warning } from '../core/finding.ts';
import type { HostFacts } from '../host/facts.ts';
import { pathExists } from '../host/filesystem.ts';
import { isListWithin } from '../config/number-list.ts';
import type { Resources } from '../config/types.ts';
import { type CgroupStep, type CgroupWrite, resourcesPointer } from './cgroup-write.ts';
import { cgroupsPathPointer } from './cgroups-path.ts';
import { requireVacant } from './create.ts';
import { devicesPointer, whyDeviceRulesIgnored } from './device-rules.ts';
import { readValue } from './files.ts';
import { type CgroupRecord, controllerDirectory } from './record.ts';
import { isFreezingV1 } from './v1/freezer.ts';
import { resourceStepsV1 } from './v1/resources.ts';
import { controllersOf } from './v2/controllers.ts';
import { isFreezingV2 } from './v2/freezer.ts';
import { ignoredOnV2, limitGroups, resourceStepsV2 } from './v2/resources.ts';
import { writeError } from './write-error.ts';
import { noCgroup } from './write-limits.ts';
import { childNames } from './walk.ts';

/** What create() and apply() of the record's manager would refuse or ignore, as far as can be known. */
export function preflightCgroups(
  record: CgroupRecord,
  resources: Resources = {},
  kernel: HostFacts['kernel'],
): Finding[] {
  return [
    ...checkDirectories(record),
    ...checkDeviceRules(record, resources),
    ...(record.version === 2 ? ignoredOnV2(resources).map(ignored) : []),
    ...checkLimits(record, resources, kernel),
  ];
}

/** The finding for a warning of the managers. */
function ignored({ pointer, reason }: Finding): Finding {
  return warning(pointer, `ignored: ${reason}`);
}

/** Finds cgroups that are in use, or cannot be made. */
function checkDirectories({ paths, version }: CgroupRecord): Finding[] {
  const pointer = cgroupsPathPointer;
  const isFrozen = version === 1 ? isFreezingV1 : isFreezingV2;
  for (const directory of Object.values(paths)) {
    try {
      if (pathExists(directory)) requireVacant(directory, isFrozen);
    } catch (failure) {
      if (!(failure instanceof TsrunError)) throw failure;
      return [error(pointer, failure.reason, failure.hint)];
    }
    const parent = nearestExisting(directory);
    try {
      accessSync(parent, constants.W_OK);
    } catch (failure) {
      const why = errnoText(errnoOrRethrow(failure));
      return [error(pointer, `a cgroup cannot be made in ${parent}: ${why}`)];
    }
  }
  return [];
}

function checkDeviceRules(record: CgroupRecord, resources: Resources): Finding[] {
  const why = whyDeviceRulesIgnored(record, resources);
  return why === undefined ? [] : [warning(devicesPointer, `ignored: ${why}`)];
}

function checkLimits(record: CgroupRecord, resources: Resources, kernel: HostFacts['kernel']): Finding[] {
  const findings: Finding[] = [];
  for (const name of limitGroups) {
    const value = resources[name];
    if (value === undefined) continue;
    try {
      // Each group by itself: one that is refused must not hide what is wrong in another one.
      const one = { [name]: value };
      const steps = record.version === 1 ? resourceStepsV1(one) : resourceStepsV2(one);
      findings.push(...steps.flatMap((step) => checkStep(record, step, kernel)));
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

function checkStep(record: CgroupRecord, step: CgroupStep, kernel: HostFacts['kernel']): Finding[] {
  const directory = directoryOf(record, step.controller);
  if (directory === undefined) return [findingOf(noCgroup(step))];
  if (step.step === 'check') return [];
  return [...checkFile(directory, step, kernel), ...checkCpuset(directory, step)];
}

/** The container's directory for a controller, made or not; undefined when it will have none. */
function directoryOf(record: CgroupRecord, controller: string): string | undefined {
  if (record.version === 1) return controllerDirectory(record, controller);
  const directory = controllerDirectory(record, '');
  if (directory === undefined || controller === 'cgroup') return directory;
  return controllersOf(nearestExisting(directory)).includes(controller) ? directory : undefined;
}

/** Files whose values the kernel accepts and ignores, and since which version. */
const inertSince: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  'memory.kmem.limit_in_bytes': [5, 16],
};

function checkFile(directory: string, step: CgroupWrite, kernel: HostFacts['kernel']): Finding[] {
  const { file, alias, optional, unused, pointer, controller } = step;
  const files = alias === undefined ? [file] : [file, alias.file];
  const offers = files.map((name) => offersFile(directory, name, controller));
  if (offers.every((offered) => offered === false)) {
    if (optional === true) return [];
    if (unused !== undefined) return [warning(pointer, `ignored: ${unused.message}`)];
    return [findingOf(writeError(step, `${directory}/${file}`, errnos.ENOENT))];
  }
  const [major, minor] = inertSince[file] ?? [Infinity, 0];
  const isInert = kernel.major > major || (kernel.major === major && kernel.minor >= minor);
  return isInert && unused !== undefined ? [warning(pointer, `ignored: ${unused.message}`)] : [];
}

/** A cgroup can have only processors and memory nodes that its parent has. */
function checkCpuset(directory: string, { controller, file, value, pointer }: CgroupWrite): Finding[] {
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

/** The directory itself, or its nearest ancestor that exists. */
function nearestExisting(directory: string): string {
  let path = directory;
  while (path !== '/' && !existsSync(path)) path = posix.dirname(path);
  return path;
}

/**
 * Whether the cgroup `directory`, which need not exist, will have the file, as its nearest relatives tell; undefined
 * when none does. The root of a hierarchy lacks files that its children have.
 */
function offersFile(directory: string, file: string, controller: string): boolean | undefined {
  const relative = nearestExisting(directory);
  if (existsSync(`${relative}/${file}`)) return true;
  const isRoot = !existsSync(`${posix.dirname(relative)}/cgroup.procs`);
  const children = childrenOf(relative).filter((child) => hasController(child, controller));
  if (children.length > 0) return children.some((child) => existsSync(`${child}/${file}`));
  return isRoot || !hasController(relative, controller) ? undefined : false;
}

function childrenOf(directory: string): string[] {
  return childNames(directory)
    .filter((name) => typeof name === 'string')
    .map((name) => `${directory}/${name}`);
}

/** On v1 each directory of a hierarchy has all of its controllers. */
function hasController(directory: string, controller: string): boolean {
  if (!existsSync(`${directory}/cgroup.controllers`)) return true;
  return controller === 'cgroup' || controllersOf(directory).includes(controller);
}
