import type { DeviceRule } from '../spec/types.ts';
import { defaultDevices, devicePattern, devicesPointer } from './device-rules.ts';
import type { DevicePattern } from './device-rules.ts';
import type { CgroupWrite } from './steps.ts';

/** The default rules as the kernel takes them. */
export const defaultDeviceRules: readonly string[] = defaultDevices.flatMap(lines);

/**
 * The device rules of a new container for cgroup v1 (config-linux.md, "Allowed Device list"): nothing is
 * allowed but what the rules say, in their order, and then the defaults. The kernel applies each write to
 * the list it has, so devices.list shows them in this order.
 */
export function deviceStepsV1(rules: readonly DeviceRule[]): CgroupWrite[] {
  const entries = rules.map((rule, index) => ({ rule, index, values: values(rule, index) }));
  // A rule for all devices discards everything before it. The kernel only accepts one in a cgroup without
  // children, which a new one is.
  const start = entries.findLastIndex(({ values: [value] }) => value === 'a');
  const writes: CgroupWrite[] = [];
  if (start < 0) writes.push(write(false, 'a', devicesPointer));
  for (const { rule, index, values: all } of entries.slice(Math.max(start, 0))) {
    for (const line of all) writes.push(write(rule.allow, line, `${devicesPointer}/${String(index)}`));
  }
  const everything = writes.length === 1 && entries[start]?.rule.allow === true;
  if (!everything) writes.push(...defaultDeviceRules.map((line) => write(true, line, devicesPointer)));
  return writes;
}

/**
 * A rule as the kernel takes it. Of `a` the kernel reads nothing but the letter, so a rule for all types
 * that is limited to some access or numbers becomes one for each type; it would widen otherwise.
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

function write(allow: boolean, value: string, at: string): CgroupWrite {
  return {
    step: 'write',
    controller: 'devices',
    file: allow ? 'devices.allow' : 'devices.deny',
    value,
    pointer: at,
  };
}
