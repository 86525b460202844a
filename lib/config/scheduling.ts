/** Names of config.md and config-linux.md for how the kernel runs a process, with their numbers. */

/** Policies of sched_setattr(2) (linux/sched.h). */
export const schedulerPolicies: ReadonlyMap<string, number> = new Map([
  ['SCHED_OTHER', 0],
  ['SCHED_FIFO', 1],
  ['SCHED_RR', 2],
  ['SCHED_BATCH', 3],
  // Reserved by the kernel, which refuses it.
  ['SCHED_ISO', 4],
  ['SCHED_IDLE', 5],
  ['SCHED_DEADLINE', 6],
]);

/** Flags of sched_setattr(2). */
export const schedulerFlags: ReadonlyMap<string, number> = new Map([
  ['SCHED_FLAG_RESET_ON_FORK', 0x01],
  ['SCHED_FLAG_RECLAIM', 0x02],
  ['SCHED_FLAG_DL_OVERRUN', 0x04],
  ['SCHED_FLAG_KEEP_POLICY', 0x08],
  ['SCHED_FLAG_KEEP_PARAMS', 0x10],
  ['SCHED_FLAG_UTIL_CLAMP_MIN', 0x20],
  ['SCHED_FLAG_UTIL_CLAMP_MAX', 0x40],
]);

/** Classes of ioprio_set(2) (linux/ioprio.h). */
export const ioPriorityClasses: ReadonlyMap<string, number> = new Map([
  ['IOPRIO_CLASS_RT', 1],
  ['IOPRIO_CLASS_BE', 2],
  ['IOPRIO_CLASS_IDLE', 3],
]);

/** Domains of personality(2) (linux/personality.h). */
export const personalities: ReadonlyMap<string, number> = new Map([
  ['LINUX', 0],
  ['LINUX32', 8],
]);

/** The kernel has at most this many memory nodes (CONFIG_NODES_SHIFT) and CPUs (CONFIG_NR_CPUS). */
export const maxMemoryNodes = 1024;
export const maxCpus = 8192;

/** The name of a number in one of these tables; the number itself when it has none. */
export function nameOf(table: ReadonlyMap<string, number>, number: number): string {
  for (const [name, value] of table) if (value === number) return name;
  return String(number);
}

/** The names of the bits of a number in one of these tables. */
export function namesOf(table: ReadonlyMap<string, number>, bits: number): string[] {
  return [...table].filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
}
