import { closeSync, fstatSync, readSync } from 'node:fs';
import { errnos } from '../core/errno.ts';
import { systemError, TsrunError } from '../core/error.ts';
import { libseccomp, type Libseccomp, type SeccompFilter } from '../native/libseccomp.ts';
import { memfd } from '../native/memfd.ts';
import type { Seccomp } from '../config/types.ts';
import { maxInstructions } from './constants.ts';
import { enosysStub, type NewestSyscall } from './enosys.ts';
import { type Condition, type Filter, filterOf } from './profile.ts';

/** What the init loads with seccomp(2). */
export interface CompiledFilter {
  /** Classic BPF, an array of struct sock_filter. */
  program: Uint8Array;
  /** Flags of seccomp(2). */
  flags: number;
  /** Some rule notifies: the listener goes to the agent. */
  notify: boolean;
  /** Names of system calls this libseccomp does not know; their rules are left out. */
  unknownSyscalls: string[];
}

/** SCMP_FLTATR_CTL_OPTIMIZE, value 2: a binary tree instead of a chain. Refused by libseccomp before 2.5. */
const optimizeAttribute = 8;
const binaryTree = 2;
/** The size of struct sock_filter. */
const instructionBytes = 8;
const x32Name = 'x32';
const x32Bit = 0x40000000;

/** Compiles a profile through libseccomp. Errors carry the pointer of the rule libseccomp refused. */
export function compileFilter(seccomp: Seccomp): CompiledFilter {
  const filter = filterOf(seccomp);
  const library = libseccomp();
  const archs = architecturesOf(filter, library);
  const context = library.filter(filter.defaultAction);
  try {
    for (const { token, pointer, name } of archs.slice(1)) {
      const result = context.addArch(token);
      if (result < 0 && result !== -errnos.EEXIST)
        throw systemError(`seccomp architecture ${name}`, result, { pointer });
    }
    const unknown = addRules(filter, library, context);
    // Only worth it, and only tried, for large profiles; what libseccomp refuses costs nothing but speed.
    if (filter.rules.length > 32) context.setAttribute(optimizeAttribute, binaryTree);
    const stub = filter.unknownIsEnosys
      ? enosysStub(newestSyscalls(filter, library, archs))
      : new Uint8Array();
    const program = Buffer.concat([stub, exportProgram(context)]);
    if (program.length > maxInstructions * instructionBytes) {
      throw new TsrunError(
        'unsupported',
        `the profile makes a filter of ${program.length / instructionBytes} instructions, the kernel takes ${maxInstructions}`,
        { pointer: '/linux/seccomp', hint: 'leave out architectures, or rules with arguments' },
      );
    }
    return {
      program,
      flags: filter.flags,
      notify: filter.notify,
      unknownSyscalls: [...unknown],
    };
  } finally {
    context.release();
  }
}

interface Architecture {
  name: string;
  token: number;
  pointer: string;
}

/** The native architecture, which every filter has, then those the profile names. */
function architecturesOf(filter: Filter, library: Libseccomp): Architecture[] {
  const native = { name: 'native', token: library.nativeArch(), pointer: '/linux/seccomp/architectures' };
  const others = filter.architectures.map((name, i) => {
    const pointer = `/linux/seccomp/architectures/${String(i)}`;
    const token = library.arch(name);
    if (token === 0) {
      throw new TsrunError(
        'unsupported',
        `libseccomp ${library.version} does not know the architecture ${name}`,
        { pointer },
      );
    }
    return { name, token, pointer };
  });
  return [native, ...others.filter((other) => other.token !== native.token)];
}

function addRules(filter: Filter, library: Libseccomp, context: SeccompFilter): Set<string> {
  const unknown = new Set<string>();
  const native = library.nativeArch();
  for (const rule of filter.rules) {
    const number = library.syscall(native, rule.syscall);
    if (number === -1) {
      unknown.add(rule.syscall);
      continue;
    }
    const result = context.addRule(
      rule.action,
      number,
      encodeConditions(rule.conditions),
      rule.conditions.length,
    );
    // The same rule twice is what profiles that were merged have.
    if (result < 0 && result !== -errnos.EEXIST) {
      const hint =
        result === -errnos.EINVAL ? 'it contradicts another rule for the same system call' : undefined;
      throw systemError(`seccomp rule for ${rule.syscall}`, result, {
        pointer: rule.pointer,
        hint,
      });
    }
  }
  return unknown;
}

/** An array of struct scmp_arg_cmp: unsigned arg, enum op, u64 datum_a, u64 datum_b. */
function encodeConditions(conditions: readonly Condition[]): Uint8Array {
  const bytes = Buffer.alloc(Math.max(1, conditions.length) * 24);
  conditions.forEach((condition, i) => {
    bytes.writeUInt32LE(condition.index, i * 24);
    bytes.writeUInt32LE(condition.operator, i * 24 + 4);
    bytes.writeBigUInt64LE(condition.value, i * 24 + 8);
    bytes.writeBigUInt64LE(condition.valueTwo, i * 24 + 16);
  });
  return bytes;
}

function newestSyscalls(
  filter: Filter,
  library: Libseccomp,
  archs: readonly Architecture[],
): NewestSyscall[] {
  const names = [...new Set(filter.rules.map((rule) => rule.syscall))];
  return archs.flatMap(({ name, token }) => {
    const x32 = name === x32Name;
    // x32's own numbers carry its bit already.
    const numbers = names.map((syscall) => library.syscall(token, syscall)).filter((number) => number >= 0);
    if (numbers.length === 0) return [];
    const newest = Math.max(...numbers.map((number) => (x32 ? number & ~x32Bit : number)));
    return [{ arch: x32 ? library.arch('x86_64') : token, x32, newest }];
  });
}

function exportProgram(context: SeccompFilter): Uint8Array {
  const fd = memfd('tsrun-seccomp');
  try {
    const result = context.exportBpf(fd);
    if (result < 0) throw systemError('generate the seccomp filter', result, { pointer: '/linux/seccomp' });
    const bytes = Buffer.alloc(fstatSync(fd).size);
    readSync(fd, bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    closeSync(fd);
  }
}
