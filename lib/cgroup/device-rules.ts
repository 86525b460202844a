import { TsrunError } from '../core/error.ts';
import { accessLetters } from '../config/resource-values.ts';
import type { DeviceRule, Resources } from '../config/types.ts';
import { resourcesPointer } from './cgroup-write.ts';
import type { CgroupRecord } from './record.ts';

export const devicesPointer = `${resourcesPointer}/devices`;

/** Devices and kinds of access to them, allowed or not. */
export interface DevicePattern {
  /** Block devices, character devices. */
  types: readonly ('b' | 'c')[];
  /** Undefined stands for every number. */
  major: number | undefined;
  minor: number | undefined;
  /** Some of `rwm` (read, write, make a node), in this order. */
  access: string;
}

const nodes = { major: undefined, minor: undefined, access: 'm' } as const;
const character = (major: number, minor: number | undefined): DevicePattern => ({
  types: ['c'],
  major,
  minor,
  access: 'rwm',
});

/**
 * What every container may use, whatever its rules say: to make device nodes, which is harmless by itself, the devices
 * of config-linux.md, "Default Devices", and the terminals and /dev/net/tun, on which engines rely.
 */
export const defaultDevices: readonly DevicePattern[] = [
  { types: ['c'], ...nodes },
  { types: ['b'], ...nodes },
  character(1, 3), // /dev/null
  character(1, 8), // /dev/random
  character(1, 7), // /dev/full
  character(5, 0), // /dev/tty
  character(1, 5), // /dev/zero
  character(1, 9), // /dev/urandom
  character(136, undefined), // /dev/pts/*
  character(5, 2), // /dev/ptmx
  character(10, 200), // /dev/net/tun
];

/**
 * The devices and the access of a rule of linux.resources.devices; `index` is its index there.
 * @throws TsrunError 'config' with the pointer of what is wrong in the rule
 */
export function devicePattern(rule: DeviceRule, index: number): DevicePattern {
  const { type = 'a' } = rule;
  const access = accessOf(rule, index);
  if (type !== 'a' && type !== 'b' && type !== 'c') {
    throw new TsrunError('config', `invalid cgroup device type "${type}": expected a, b or c`, {
      pointer: `${devicesPointer}/${String(index)}/type`,
    });
  }
  return {
    types: type === 'a' ? ['b', 'c'] : [type],
    major: deviceNumber(rule.major),
    minor: deviceNumber(rule.minor),
    access,
  };
}

/** True when two lists of rules are the same, however each rule is written. */
export function sameDeviceRules(a: readonly DeviceRule[], b: readonly DeviceRule[]): boolean {
  const plain = (rules: readonly DeviceRule[]): string =>
    JSON.stringify(
      rules.map((rule, index) => {
        const { types, major = -1, minor = -1, access } = devicePattern(rule, index);
        return [rule.allow, types.join(''), String(major), String(minor), access];
      }),
    );
  return plain(a) === plain(b);
}

function accessOf({ access = '' }: DeviceRule, index: number): string {
  const letters = accessLetters(access);
  if (letters !== '' && /^[rwma]+$/.test(access)) return letters;
  const found = access === '' ? 'cannot be empty' : `"${access}" is invalid`;
  throw new TsrunError('config', `device access ${found}: expected some of r, w and m`, {
    pointer: `${devicesPointer}/${String(index)}/access`,
  });
}

/** Absent, or -1 as engines write it, means every number. */
function deviceNumber(value: number | undefined): number | undefined {
  return value === undefined || value < 0 ? undefined : value;
}

/** Why the device rules of a config are ignored for this container; undefined when they are not. */
export function whyDeviceRulesIgnored(
  { driver, unprivileged }: CgroupRecord,
  { devices = [] }: Resources = {},
): string | undefined {
  if (devices.length === 0 || (driver !== 'disabled' && unprivileged !== true)) return undefined;
  const why =
    unprivileged === true ? 'device rules need privileges over the host' : 'the container has no cgroup';
  return `${why}; the rules of the cgroup tsrun runs in apply`;
}
