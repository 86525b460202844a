import { TsrunError } from '../../core/error.ts';
import type { DeviceRule } from '../../config/types.ts';
import {
  and32,
  copy32,
  encodeInstructions,
  exit,
  type Instruction,
  load32,
  longestJump,
  set,
  shiftRight32,
  skipIfSet,
  when,
} from './bpf.ts';
import { defaultDevices, devicePattern, devicesPointer } from '../device-rules.ts';
import { DeviceTable, everyAccess } from './device-table.ts';

/** A program of type BPF_PROG_TYPE_CGROUP_DEVICE, which the kernel runs for every access to a device. */
export interface DeviceProgram {
  /** An array of struct bpf_insn. */
  code: Uint8Array;
  /** False when it allows everything. */
  denies: boolean;
}

/** r1 points to struct bpf_cgroup_dev_ctx: kinds of access << 16 | type, major, minor. */
const context = 1;
const type = 2;
const access = 3;
const major = 4;
const minor = 5;

/** BPF_DEVCG_DEV_BLOCK; the only other type is that of character devices. */
const block = 1;

/**
 * The device rules of a container for cgroup v2: nothing is allowed but what the rules say, and then the defaults. For
 * each kind of access the last matching rule decides. An access of several kinds is allowed when each of them is, even
 * by different rules.
 *
 * What each device may do is computed here, so the program only compares numbers and returns: the verifier is fast with
 * it, however many rules there are.
 * @throws TsrunError 'config' with the pointer of a rule that is wrong, or for too many rules
 */
export function deviceProgram(rules: readonly DeviceRule[]): DeviceProgram {
  const tables = { b: new DeviceTable(), c: new DeviceTable() };
  for (const [index, rule] of rules.entries()) {
    const pattern = devicePattern(rule, index);
    for (const one of pattern.types) tables[one].add(pattern, rule.allow);
  }
  for (const pattern of defaultDevices) for (const one of pattern.types) tables[one].add(pattern, true);
  const budget = new Budget();
  const [blocks, characters] = [answers(tables.b, budget), answers(tables.c, budget)];
  const program = [
    load32(type, context, 0),
    copy32(access, type),
    // access(2) with F_OK asks for no kind of access: allow it.
    shiftRight32(access, 16),
    skipIfSet(access, everyAccess, 2),
    ...verdict(everyAccess),
    and32(type, 0xffff),
    load32(major, context, 4),
    load32(minor, context, 8),
    ...when(type, block, blocks.code),
    ...characters.code,
  ];
  return { code: encodeInstructions(program), denies: blocks.denies || characters.denies };
}

/** The instructions for one type of device: single majors first, since their rules are more specific. */
function answers(table: DeviceTable, budget: Budget): { code: Instruction[]; denies: boolean } {
  const code: Instruction[] = [];
  let denies = false;
  const answer = (allowed: number): Instruction[] => {
    denies ||= allowed !== everyAccess;
    return budget.spend(verdict(allowed));
  };
  const rest = table.allowed(undefined, undefined);
  const minorsOfAll = table.minors(undefined);
  for (const number of table.majors()) {
    const others = table.allowed(number, undefined);
    const group: Instruction[] = [];
    for (const one of table.minors(number)) {
      const allowed = table.allowed(number, one);
      if (allowed !== others) group.push(...when(minor, one, answer(allowed)));
    }
    if (group.length === 0 && others === rest && minorsOfAll.length === 0) continue;
    group.push(...answer(others));
    for (const instruction of when(major, number, group)) code.push(instruction);
  }
  for (const one of minorsOfAll) {
    const allowed = table.allowed(undefined, one);
    if (allowed !== rest) code.push(...when(minor, one, answer(allowed)));
  }
  code.push(...answer(rest));
  return { code, denies };
}

/** Ends the program: returns 1 when all kinds of access that are asked for are allowed. */
function verdict(allowed: number): Instruction[] {
  if (allowed === everyAccess) return [set(0, 1), exit];
  if (allowed === 0) return [set(0, 0), exit];
  return [set(0, 0), skipIfSet(access, everyAccess & ~allowed, 1), set(0, 1), exit];
}

/** Limits the length of the program to what its jumps can skip: rules for one minor of all majors multiply. */
class Budget {
  // 16: the instructions before the first rule.
  private left = longestJump - 16;

  /** Counts the instructions for one device and the jump before them. */
  spend(answer: Instruction[]): Instruction[] {
    this.left -= answer.length + 1;
    if (this.left >= 0) return answer;
    throw new TsrunError('config', 'too many device rules: a program for all of them would be too long', {
      pointer: devicesPointer,
      hint: 'Some thousand devices can have rules of their own; write rules without a minor for whole groups.',
    });
  }
}
