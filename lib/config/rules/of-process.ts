import { capabilityNames, capabilitySubsets, rlimits } from './limits.ts';
import {
  args,
  environment,
  execAffinity,
  umask,
  userIds,
  userIdsAreThere,
  workingDirectory,
} from './process.ts';
import type { Rule } from './rule.ts';
import { ioPriority, scheduler } from './scheduling.ts';

/** The rules about `process` alone: they hold for the container's own and for one that joins it. */
export const processRules: readonly Rule[] = [
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
