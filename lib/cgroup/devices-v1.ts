import { TsrunError } from '../errors.ts';
import type { DeviceRule } from '../spec/types.ts';
import type { CgroupWrite } from './steps.ts';
import { resourcesPointer } from './steps.ts';

const pointer = `${resourcesPointer}/devices`;

/**
 * What every container may use, whatever its rules say: making device nodes is harmless by itself, and the
 * rest is what config-linux.md lists under "Default Devices", with the terminals and /dev/net/tun that
 * engines rely on.
 */
export const defaultDeviceRules: readonly string[] = [
  'c *:* m',
  'b *:* m',
  'c 1:3 rwm', // /dev/null
  'c 1:8 rwm', // /dev/random
  'c 1:7 rwm', // /dev/full
  'c 5:0 rwm', // /dev/tty
  'c 1:5 rwm', // /dev/zero
  'c 1:9 rwm', // /dev/urandom
  'c 136:* rwm', // /dev/pts/*
  'c 5:2 rwm', // /dev/ptmx
  'c 10:200 rwm', // /dev/net/tun
];

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
  if (start < 0) writes.push(write(false, 'a', pointer));
  for (const { rule, index, values: lines } of entries.slice(Math.max(start, 0))) {
    for (const line of lines) writes.push(write(rule.allow, line, `${pointer}/${String(index)}`));
  }
  const everything = writes.length === 1 && entries[start]?.rule.allow === true;
  if (!everything) writes.push(...defaultDeviceRules.map((line) => write(true, line, pointer)));
  return writes;
}

/**
 * A rule as the kernel takes it. Of `a` the kernel reads nothing but the letter, so a rule for all types
 * that is limited to some access or numbers becomes one for each type; it would widen otherwise.
 */
function values(rule: DeviceRule, index: number): string[] {
  const { type = 'a' } = rule;
  const access = accessLetters(rule, index);
  if (!['a', 'b', 'c'].includes(type)) {
    throw new TsrunError('config', `invalid cgroup device type "${type}": expected a, b or c`, {
      pointer: `${pointer}/${String(index)}/type`,
    });
  }
  const numbers = `${number(rule.major)}:${number(rule.minor)}`;
  if (type !== 'a') return [`${type} ${numbers} ${access}`];
  if (numbers === '*:*' && access === 'rwm') return ['a'];
  return [`b ${numbers} ${access}`, `c ${numbers} ${access}`];
}

function accessLetters({ access = '' }: DeviceRule, index: number): string {
  if (/^[rwm]+$/.test(access)) return ['r', 'w', 'm'].filter((letter) => access.includes(letter)).join('');
  const found = access === '' ? 'cannot be empty' : `"${access}" is invalid`;
  throw new TsrunError('config', `device access ${found}: expected some of r, w and m`, {
    pointer: `${pointer}/${String(index)}/access`,
  });
}

/** Absent, or -1 as engines write it, stands for every number. */
function number(value: number | undefined): string {
  return value === undefined || value < 0 ? '*' : String(value);
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
