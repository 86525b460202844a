import type { DeviceRule } from '../spec/types.ts';
import { deviceStepsV1 } from './devices-v1.ts';

/**
 * Device rules for cgroup v2: a BPF program the kernel asks for every access to a device (BPF_PROG_TYPE_CGROUP_DEVICE).
 * The last rule that speaks of an access decides. An access of several kinds (reading and writing) may be allowed
 * by several rules together.
 */

/** BPF_DEVCG_ACC_* (linux/bpf.h). */
const accessBits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const everyAccess = 7;
/** BPF_DEVCG_DEV_*. */
const typeNumbers: Readonly<Record<string, number>> = { b: 1, c: 2 };

interface Rule {
  allow: boolean;
  /** Undefined stands for every one. */
  type: number | undefined;
  major: number | undefined;
  minor: number | undefined;
  access: number;
}

type Instruction = readonly [code: number, registers: number, offset: number, immediate: number];

/** r1: struct bpf_cgroup_dev_ctx. r2: type. r3: the kinds of access not yet allowed. r4, r5: major, minor. */
const load = (register: number, offset: number): Instruction => [0x61, register | 0x10, offset, 0];
const and = (register: number, value: number): Instruction => [0x54, register, 0, value];
const shiftRight = (register: number, bits: number): Instruction => [0x74, register, 0, bits];
const jumpUnless = (register: number, value: number, by: number): Instruction => [0x55, register, by, value];
const jumpIfSet = (register: number, bits: number, by: number): Instruction => [0x45, register, by, bits];
const jump = (by: number): Instruction => [0x05, 0, by, 0];
const answer = (value: number): Instruction[] => [
  [0xb7, 0, 0, value],
  [0x95, 0, 0, 0],
];

/** The rules of the configuration and the defaults behind them, as an array of struct bpf_insn. */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  const program: Instruction[] = [
    load(2, 0),
    load(3, 0),
    and(2, 0xffff),
    shiftRight(3, 16),
    load(4, 4),
    load(5, 8),
  ];
  let decided = false;
  for (const rule of parsedRules(rules).reverse()) {
    const body = decision(rule);
    const tests = conditions(rule, body.length);
    program.push(...tests, ...body);
    // The verifier refuses instructions that nothing leads to.
    decided = tests.length === 0 && rule.access === everyAccess;
    if (decided) break;
  }
  if (!decided) program.push(...answer(0));
  return encode(program);
}

function parsedRules(rules: readonly DeviceRule[]): Rule[] {
  return deviceStepsV1(rules).flatMap(({ file, value }): Rule[] => {
    const allow = file === 'devices.allow';
    if (value === 'a')
      return [{ allow, type: undefined, major: undefined, minor: undefined, access: everyAccess }];
    const [type = '', numbers = '', letters = ''] = value.split(' ');
    const [major, minor] = numbers.split(':').map((number) => (number === '*' ? undefined : Number(number)));
    // Compared as signed 32-bit numbers; no device has a larger one.
    if ((major ?? 0) > 0x7fffffff || (minor ?? 0) > 0x7fffffff) return [];
    const access = [...letters.matchAll(/./g)].reduce(
      (bits, [letter]) => bits | (accessBits[letter] ?? 0),
      0,
    );
    return [{ allow, type: typeNumbers[type], major, minor, access }];
  });
}

/** Leave for the next rule, behind `bodyLength` instructions, when this one is not about the device. */
function conditions({ type, major, minor }: Rule, bodyLength: number): Instruction[] {
  const wanted = [
    [2, type],
    [4, major],
    [5, minor],
  ] as const;
  const tests = wanted.flatMap(([register, value]) => (value === undefined ? [] : [{ register, value }]));
  return tests.map(({ register, value }, index) =>
    jumpUnless(register, value, tests.length - index - 1 + bodyLength),
  );
}

function decision({ allow, access }: Rule): Instruction[] {
  if (access === everyAccess) return answer(allow ? 1 : 0);
  if (allow) return [and(3, ~access), jumpUnless(3, 0, 2), ...answer(1)];
  return [jumpIfSet(3, access, 1), jump(2), ...answer(0)];
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, registers, offset, immediate], index) => {
    bytes.writeUInt8(code, index * 8);
    bytes.writeUInt8(registers, index * 8 + 1);
    bytes.writeInt16LE(offset, index * 8 + 2);
    bytes.writeInt32LE(immediate | 0, index * 8 + 4);
  });
  return bytes;
}
