import type { CgroupRecord } from '../cgroup/types.ts';
import type { ResctrlRecord } from '../resctrl/class.ts';
import type { DeviceRule, Hook } from '../config/types.ts';

/** A process that is meant even when its pid has been given to another one. */
export interface ProcessRef {
  pid: number;
  /** When it started, in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)). */
  startTime: number;
}

/**
 * What tsrun knows about one container: state.json in its folder. It is a journal as well: whatever `create`
 * is about to make is written down first, so that `delete --force` finds all of it after a SIGKILL at any point.
 */
export interface ContainerRecord {
  version: typeof recordVersion;
  ociVersion: string;
  id: string;
  /** Absolute paths. */
  bundle: string;
  rootfs: string;
  /** RFC 3339 with nanoseconds. */
  created: string;
  /** uid of who created it. */
  owner: number;
  annotations?: Record<string, string>;
  /** `created` once `create` has succeeded, pid-file and all. */
  phase: 'creating' | 'created';
  /** The tsrun that creates it. */
  runtime: ProcessRef;
  /** The container's first process, once there is one. */
  init?: ProcessRef;
  /** `dev:ino` of the memfd the init runs from; what /proc/PID/exe is until the user's program runs. */
  initImage?: string;
  cgroup?: CgroupRecord;
  /**
   * True once the cgroups are known to be the container's own. Before, they may be another's: `create` may
   * have been killed before it learnt that the path was taken.
   */
  ownsCgroup: boolean;
  /** Its class of linux.intelRdt. */
  resctrl?: ResctrlRecord;
  /** Its device rules, once an update has changed them; `unknown` while it does. */
  devices?: DeviceRule[] | 'unknown';
  /** All its processes die with the first one (a pid namespace of its own). */
  ownPids: boolean;
  /** It has its caller's session keyring, and so have the processes that join it. */
  noNewKeyring?: true;
  /** What the first process was given as 0, 1 and 2, as criu calls it (stdio-keys.ts); absent with a terminal. */
  stdio?: string[];
  /** The hooks that are due after `create`. */
  hooks?: { poststart?: Hook[]; poststop?: Hook[] };
}

/** Of the records this tsrun writes. A change that an older one must not overlook makes it higher. */
export const recordVersion = 1;

/** The version of a record that a newer tsrun has written; undefined for anything else. */
export function newerVersion(text: string): number | undefined {
  const value = parseJson(text);
  const version = isObject(value) ? value['version'] : undefined;
  return typeof version === 'number' && Number.isSafeInteger(version) && version > recordVersion
    ? version
    : undefined;
}

/** Parses state.json. Undefined unless everything the code relies on is there. */
export function parseRecord(text: string): ContainerRecord | undefined {
  const value = parseJson(text);
  return isRecord(value) ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is ContainerRecord {
  return (
    isObject(value) &&
    value['version'] === recordVersion &&
    ['ociVersion', 'id', 'bundle', 'rootfs', 'created'].every((key) => typeof value[key] === 'string') &&
    Number.isSafeInteger(value['owner']) &&
    (value['phase'] === 'creating' || value['phase'] === 'created') &&
    typeof value['ownsCgroup'] === 'boolean' &&
    typeof value['ownPids'] === 'boolean' &&
    isProcessRef(value['runtime']) &&
    optional(value['init'], isProcessRef) &&
    optional(value['noNewKeyring'], (flag) => flag === true) &&
    optional(value['initImage'], (image) => typeof image === 'string') &&
    optional(value['annotations'], isStringMap) &&
    optional(value['cgroup'], isCgroupRecord) &&
    optional(value['devices'], isDevices) &&
    optional(value['resctrl'], isResctrl) &&
    optional(value['stdio'], isStrings) &&
    optional(value['hooks'], isHooks)
  );
}

function optional(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || check(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProcessRef(value: unknown): boolean {
  return isObject(value) && isPositive(value['pid']) && Number.isSafeInteger(value['startTime']);
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isStringMap(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

function isResctrl(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['directory'] === 'string' &&
    typeof value['ownsClass'] === 'boolean' &&
    optional(value['monitor'], (path) => typeof path === 'string')
  );
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function isCgroupRecord(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['driver'] === 'string' &&
    (value['version'] === 1 || value['version'] === 2) &&
    isStringMap(value['paths']) &&
    optional(value['mark'], isMark) &&
    isStringMap(value['shared'])
  );
}

function isDevices(value: unknown): boolean {
  return value === 'unknown' || (Array.isArray(value) && value.every(isDeviceRule));
}

function isDeviceRule(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['allow'] === 'boolean' &&
    ['type', 'access'].every((name) => optional(value[name], (text) => typeof text === 'string')) &&
    ['major', 'minor'].every((name) => optional(value[name], Number.isSafeInteger))
  );
}

function isMark(value: unknown): boolean {
  return isObject(value) && typeof value['name'] === 'string' && typeof value['value'] === 'string';
}

function isHooks(value: unknown): boolean {
  return (
    isObject(value) && optional(value['poststart'], isHookList) && optional(value['poststop'], isHookList)
  );
}

function isHookList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isHook);
}

function isHook(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['path'] === 'string' &&
    optional(value['args'], isStrings) &&
    optional(value['env'], isStrings) &&
    optional(value['timeout'], (timeout) => typeof timeout === 'number')
  );
}
