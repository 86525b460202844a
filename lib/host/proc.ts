import { readFileSync, statSync } from 'node:fs';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';

/** A process, as /proc/<pid>/stat has it. */
export interface ProcessStat {
  pid: number;
  /** One letter: `R`, `S`, `Z` (ended, not yet reaped) … */
  state: string;
  parent: number;
  /** Clock ticks between boot and its start: with the pid, the identity of a process. */
  startTime: number;
  /** It is exiting: some of its resources, such as its namespaces, are gone already. */
  ending: boolean;
}

/** `PF_EXITING` of the kernel's task flags (include/linux/sched.h). */
const exitingFlag = 0x4;

/** Device and inode of a file: its identity. */
export interface FileIdentity {
  dev: bigint;
  ino: bigint;
}

/** The process, or undefined when there is none with this pid. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readIfVisible(`/proc/${pid}/stat`, (path) => readFileSync(path, 'latin1'));
  return text === undefined ? undefined : parseStat(text);
}

/** Parses /proc/<pid>/stat (proc_pid_stat(5)). */
export function parseStat(text: string): ProcessStat | undefined {
  // The name in parentheses is chosen by the process, which may call itself `) R 1 (`.
  const nameEnd = text.lastIndexOf(')');
  const pid = parseInt(text, 10);
  const fields = text.slice(nameEnd + 2).split(' ');
  const state = fields[0];
  const parent = Number(fields[1]);
  const startTime = Number(fields[19]);
  const ending = (Number(fields[6]) & exitingFlag) !== 0;
  if (nameEnd < 0 || state === undefined || !Number.isSafeInteger(startTime) || Number.isNaN(pid))
    return undefined;
  return { pid, state, parent, startTime, ending };
}

/**
 * Start time of the process in clock ticks since boot, also of a zombie; undefined when the process does not exist.
 */
export function processStartTime(pid: number): number | undefined {
  return processStat(pid)?.startTime;
}

/**
 * True when process `pid` was started at `startTime`, and so is not a later one with the same pid, and is no zombie.
 */
export function isAlive(pid: number, startTime: number): boolean {
  const stat = processStat(pid);
  return stat?.startTime === startTime && !hasEnded(stat);
}

/** As isAlive(), but false as soon as the process has begun to exit. */
export function isAliveAndNotExiting(pid: number, startTime: number): boolean {
  const stat = processStat(pid);
  return stat?.startTime === startTime && !hasEnded(stat) && !stat.ending;
}

/** The pid of a process in its own pid namespace (`NSpid` of proc_pid_status(5)); undefined when it has ended. */
export function innermostPid(pid: number): number | undefined {
  const text = readIfVisible(`/proc/${pid}/status`, (path) => readFileSync(path, 'latin1'));
  const pids = text === undefined ? null : /^NSpid:\s*([0-9\s]+?)$/m.exec(text);
  const innermost = pids?.[1]?.trim().split(/\s+/).at(-1);
  return innermost === undefined ? undefined : Number(innermost);
}

/** The bounding set of a process, as a mask (`CapBnd` of proc_pid_status(5)); undefined when it has ended. */
export function boundingSet(pid: number): bigint | undefined {
  const text = readIfVisible(`/proc/${pid}/status`, (path) => readFileSync(path, 'latin1'));
  const mask = text === undefined ? null : /^CapBnd:\s*([0-9a-f]+)$/m.exec(text);
  return mask?.[1] === undefined ? undefined : BigInt(`0x${mask[1]}`);
}

/** A zombie (`Z`), or one on the point of vanishing (`X`). */
export function hasEnded({ state }: Pick<ProcessStat, 'state'>): boolean {
  return state === 'Z' || state === 'X';
}

/** The executable of a process, which may be a memfd; undefined when it has ended or may not be looked at. */
export function executableIdentity(pid: number): FileIdentity | undefined {
  const status = readIfVisible(`/proc/${pid}/exe`, (path) => statSync(path, { bigint: true }));
  return status === undefined ? undefined : { dev: status.dev, ino: status.ino };
}

/** The cgroup of a process in one hierarchy (cgroups(7)). */
export interface CgroupMembership {
  /** 0 for cgroup v2. */
  hierarchy: number;
  /** `cpu`, `cpuacct`, `name=systemd`; none for cgroup v2. */
  controllers: readonly string[];
  path: string;
}

/** The cgroups of a process; undefined when it does not exist. */
export function processCgroups(pid: number | 'self'): CgroupMembership[] | undefined {
  const text = readIfVisible(`/proc/${pid}/cgroup`, (path) => readFileSync(path, 'utf8'));
  return text === undefined ? undefined : parseCgroups(text);
}

/** Parses /proc/<pid>/cgroup. */
export function parseCgroups(text: string): CgroupMembership[] {
  const memberships: CgroupMembership[] = [];
  for (const line of text.split('\n')) {
    // Only the path may contain colons.
    const match = /^([0-9]+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, hierarchy = '', controllers = '', path = ''] = match;
    memberships.push({
      hierarchy: Number(hierarchy),
      controllers: controllers === '' ? [] : controllers.split(','),
      path,
    });
  }
  return memberships;
}

/** The result of `read`, or undefined when the process is gone or hidden. */
function readIfVisible<T>(path: string, read: (path: string) => T): T | undefined {
  try {
    return read(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw fileError(`read ${path}`, error);
  }
}
