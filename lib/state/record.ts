import { isObject } from '../core/is-object.ts';
import type { CgroupRecord } from '../cgroup/record.ts';
import type { ResctrlRecord } from '../resctrl/class.ts';
import type { DeviceRule, Hook } from '../config/types.ts';

/** A process: its start time tells it from later ones with its pid. */
export interface ProcessRef {
  pid: number;
  /** When it started, in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)). */
  startTime: number;
}

/**
 * What tsrun knows about a container: state.json in its folder, which is not the `state` of the runtime-spec. It is a
 * journal, too: `create` writes here what it is about to make before it makes it, so that `delete --force` finds all
 * of it after a SIGKILL at any point.
 */
export interface ContainerRecord {
  version: typeof recordVersion;
  ociVersion: string;
  id: string;
  /** Absolute path. */
  bundle: string;
  /** Absolute path. */
  rootfs: string;
  /** RFC 3339 with nanoseconds. */
  created: string;
  /** Effective uid of the `create`. */
  owner: number;
  annotations?: Record<string, string>;
  /** `created` once `create` has succeeded; the pid file exists then. */
  phase: 'creating' | 'created';
  /** The process of `create`. */
  runtime: ProcessRef;
  /** The container's first process, once it exists. */
  init?: ProcessRef;
  /** `dev:ino` of the init's memfd: what /proc/PID/exe is until the user's program runs. */
  initImage?: string;
  cgroup?: CgroupRecord;
  /**
   * True once `create` has made or taken over the cgroups. Before, they may belong to another container: `create`
   * may have been killed before it noticed that.
   */
  ownsCgroup: boolean;
  /** Its groups in resctrl (linux.intelRdt). */
  resctrl?: ResctrlRecord;
  /** Its device rules where they are not those of the config; `unknown` while `update` changes them. */
  devices?: DeviceRule[] | 'unknown';
  /** It has a pid namespace of its own, so all its processes end with the first one. */
  ownPids: boolean;
  /** It is not in its caller's network namespace. Absent in records of tsrun before this field. */
  ownNetwork?: boolean;
  /** The container and the processes of `exec` use the session keyring of their caller. */
  noNewKeyring?: true;
  /** Descriptors 0, 1 and 2 of the first process in criu's terms (stdio-keys.ts); absent with a terminal. */
  stdio?: string[];
  /** The hooks that run after `create`. */
  hooks?: { poststart?: Hook[]; poststop?: Hook[] };
}

/** Version of the records that this tsrun writes. A change that an older tsrun must not overlook increases it. */
export const recordVersion = 1;

/** The version of a record that a newer tsrun has written; undefined for anything else. Pure. */
export function newerVersion(text: string): number | undefined {
  const value = parseJson(text);
  const version = isObject(value) ? value['version'] : undefined;
  return typeof version === 'number' && Number.isSafeInteger(version) && version > recordVersion
    ? version
    : undefined;
}

/** Parses state.json. Undefined when a field is missing or has another type. Unknown fields are ignored. Pure. */
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
    optional(value['ownNetwork'], (own) => typeof own === 'boolean') &&
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
