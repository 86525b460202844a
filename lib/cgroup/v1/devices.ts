import type { DeviceRule } from '../../config/types.ts';
import { defaultDevices, devicePattern, type DevicePattern } from '../device-rules.ts';
import { cgroupWrite, type CgroupWrite } from '../cgroup-write.ts';

/** The default rules as the kernel takes them. */
export const defaultDeviceRules: readonly string[] = defaultDevices.flatMap(lines);

/**
 * The device rules of a new container for cgroup v1 (config-linux.md, "Allowed Device list"): nothing is allowed but
 * what the rules say, in their order, and then the defaults.
 */
export function deviceStepsV1(rules: readonly DeviceRule[]): CgroupWrite[] {
  const entries = rules.map((rule, index) => ({ rule, index, values: values(rule, index) }));
  // A rule for all devices overrides everything before it. The kernel takes it only in a cgroup without children, as
  // a new one is.
  const start = entries.findLastIndex(({ values: [value] }) => value === 'a');
  const writes: CgroupWrite[] = [];
  if (start < 0) writes.push(write(false, 'a'));
  for (const { rule, index, values: all } of entries.slice(Math.max(start, 0))) {
    for (const line of all) writes.push(write(rule.allow, line, index));
  }
  const everything = writes.length === 1 && entries[start]?.rule.allow === true;
  if (!everything) writes.push(...defaultDeviceRules.map((line) => write(true, line)));
  return writes;
}

/**
 * The writes that change rules `present` to `wanted` in a cgroup that is in use: only what differs. So a device that
 * both allow is never refused meanwhile, and devices that somebody else has allowed stay. When either list allows
 * everything, or `present` is unknown, all rules are written as for a new container.
 */
export function deviceChangeV1(
  wanted: readonly DeviceRule[],
  present: readonly DeviceRule[] | undefined,
): CgroupWrite[] {
  const after = allowedDevices(wanted);
  const before = present === undefined ? undefined : allowedDevices(present);
  if (after === undefined || before === undefined) return deviceStepsV1(wanted);
  return [...missing(after, before, true), ...missing(before, after, false)];
}

/** What rules allow, as access by device (`c 1:3`); undefined when they do not begin with "nothing". */
function allowedDevices(rules: readonly DeviceRule[]): ReadonlyMap<string, string> | undefined {
  const [first, ...rest] = deviceStepsV1(rules);
  if (first?.value !== 'a' || first.file === 'devices.allow') return undefined;
  const allowed = new Map<string, string>();
  for (const { file, value } of rest) {
    const { device, access } = split(value);
    const had = allowed.get(device) ?? '';
    const others = without(had, access);
    // The kernel matches entries exactly: to deny c 1:3 does not narrow c 1:*.
    allowed.set(device, file === 'devices.allow' ? others + access : others);
  }
  return allowed;
}

/** Writes for what `more` allows and `less` does not. */
function missing(
  more: ReadonlyMap<string, string>,
  less: ReadonlyMap<string, string>,
  allow: boolean,
): CgroupWrite[] {
  return [...more].flatMap(([device, access]) => {
    const rest = without(access, less.get(device) ?? '');
    return rest === '' ? [] : [write(allow, `${device} ${rest}`)];
  });
}

function split(value: string): { device: string; access: string } {
  const [type = '', numbers = '', access = ''] = value.split(' ');
  return { device: `${type} ${numbers}`, access };
}

/** `letters` without `others`; both are some of `rwm`. */
function without(letters: string, others: string): string {
  return letters.replace(new RegExp(`[${others}]`, 'g'), '');
}

/**
 * A rule as the kernel takes it. The kernel reads nothing after an `a`, so a rule for all types that is limited to some
 * access or numbers becomes one for each type.
 */
function values(rule: DeviceRule, index: number): string[] {
  const pattern = devicePattern(rule, index);
  const { types, major, minor, access } = pattern;
  const isEverything = types.length > 1 && major === undefined && minor === undefined && access === 'rwm';
  return isEverything ? ['a'] : lines(pattern);
}

function lines({ types, major, minor, access }: DevicePattern): string[] {
  const numbers = [major, minor].map((value) => (value === undefined ? '*' : String(value))).join(':');
  return types.map((type) => `${type} ${numbers} ${access}`);
}

function write(allow: boolean, value: string, ...at: readonly number[]): CgroupWrite {
  return cgroupWrite(allow ? 'devices.allow' : 'devices.deny', value, 'devices', ...at);
}
