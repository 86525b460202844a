import type { Report } from '../../core/finding.ts';
import type { Config, Linux, Process } from '../types.ts';
import { capabilityNames, capabilitySubsets } from './capabilities.ts';
import { cgroupsPath, resources } from './cgroup.ts';
import { devices, madeDevices } from './devices.ts';
import { annotations, ociVersion, processIsThere, rootIsThere } from './document.ts';
import { hooks, hooksInSight } from './hooks.ts';
import { mappedUser, mappingRanges, userNamespaceMappings } from './id-mappings.ts';
import { intelRdt } from './intel-rdt.ts';
import { restrictedPaths } from './masked-paths.ts';
import { mounts } from './mounts.ts';
import {
  duplicateNamespaces,
  hostNames,
  joinedUserNamespace,
  mountNamespace,
  namespacePaths,
  timeOffsets,
} from './namespaces.ts';
import { netDevices } from './net-devices.ts';
import {
  args,
  environment,
  execAffinity,
  umask,
  userIds,
  userIdsAreThere,
  workingDirectory,
} from './process.ts';
import { rlimits } from './rlimits.ts';
import { ioPriority, memoryPolicy, personality, scheduler } from './scheduling.ts';
import { seccomp } from './seccomp.ts';
import { pathLengths } from './strings.ts';
import { sysctl } from './sysctl.ts';

/**
 * What the specification or the kernel demand of a config that agrees with the schema. The first error in this order
 * is the one that `create` reports.
 */
const configRules: readonly ((config: Config, report: Report) => void)[] = [
  ociVersion,
  rootIsThere,
  processIsThere,
  ({ process: processSpec, linux }, report) => {
    if (processSpec !== undefined) checkProcess(processSpec, linux, report);
  },
  duplicateNamespaces,
  namespacePaths,
  hostNames,
  mountNamespace,
  userNamespaceMappings,
  joinedUserNamespace,
  mappingRanges,
  timeOffsets,
  netDevices,
  mounts,
  restrictedPaths,
  devices,
  madeDevices,
  hooks,
  hooksInSight,
  pathLengths,
  cgroupsPath,
  ({ linux }, report) => {
    resources(linux?.resources ?? {}, report);
    intelRdt(linux?.intelRdt ?? {}, report);
  },
  memoryPolicy,
  personality,
  sysctl,
  seccomp,
  annotations,
];

/** What is demanded of a process: the container's own, or one that joins the container. */
const processRules: readonly ((process: Process, report: Report) => void)[] = [
  args,
  workingDirectory,
  environment,
  userIds,
  userIdsAreThere,
  umask,
  execAffinity,
  rlimits,
  capabilityNames,
  capabilitySubsets,
  scheduler,
  ioPriority,
];

export function checkConfig(config: Config, report: Report): void {
  for (const rule of configRules) rule(config, report);
}

/** @param linux of the container: it says which ids there are. */
export function checkProcess(processSpec: Process, linux: Linux | undefined, report: Report): void {
  for (const rule of processRules) rule(processSpec, report);
  mappedUser(processSpec, linux, report);
}
