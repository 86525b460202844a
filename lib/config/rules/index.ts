import { cgroupsPath, resources } from './cgroup.ts';
import { intelRdt } from './intel-rdt.ts';
import { mappedUser, mappingRanges, userNamespaceMappings } from './mappings.ts';
import { mounts } from './mounts.ts';
import {
  duplicateNamespaces,
  hostNames,
  joinedUserNamespace,
  mountNamespace,
  namespacePaths,
  netDevices,
  timeOffsets,
} from './namespaces.ts';
import { devices, hooks, pathLengths, restrictedPaths } from './paths.ts';
import { processRules } from './of-process.ts';
import { processIsThere, rootIsThere } from './process.ts';
import type { Rule } from './rule.ts';
import { memoryPolicy, personality } from './scheduling.ts';
import { seccomp } from './seccomp.ts';
import { annotations } from './strings.ts';
import { sysctl } from './sysctl.ts';
import { ociVersion } from './version.ts';

/** Every rule for a config that agrees with the schema; the first error in this order is the one reported. */
export const rules: readonly Rule[] = [
  ociVersion,
  rootIsThere,
  processIsThere,
  ...processRules,
  duplicateNamespaces,
  namespacePaths,
  hostNames,
  mountNamespace,
  userNamespaceMappings,
  joinedUserNamespace,
  mappingRanges,
  mappedUser,
  timeOffsets,
  netDevices,
  mounts,
  restrictedPaths,
  devices,
  hooks,
  pathLengths,
  cgroupsPath,
  resources,
  intelRdt,
  memoryPolicy,
  personality,
  sysctl,
  seccomp,
  annotations,
];
