/** What a compiled filter says of single system calls (seccomp(2); bpf in filter.txt of the kernel). */
import { errnos } from '../core/errno.ts';
import { initSyscalls } from './init-syscalls.ts';

interface Call {
  number: number;
  args: readonly number[];
  /** Errnos that the filter may answer with instead. */
  refusals: readonly number[];
}

type Syscall = (typeof initSyscalls)[keyof Omit<typeof initSyscalls, 'privileges' | 'hooks'>][number];

interface Architecture {
  /** AUDIT_ARCH_* of linux/audit.h. */
  audit: number;
  numbers: Readonly<Record<Syscall, number>>;
}

/** Numbers of system calls, by what Node calls the architecture. */
const architectures: ReadonlyMap<string, Architecture> = new Map<string, Architecture>([
  [
    'x64',
    {
      audit: 0xc000003e,
      numbers: {
        ...{
          read: 0,
          write: 1,
          close: 3,
          mmap: 9,
          ioctl: 16,
          sendmsg: 46,
          recvmsg: 47,
          clone: 56,
          execve: 59,
        },
        ...{ setsid: 112, exit_group: 231, accept4: 288, pipe2: 293, prlimit64: 302 },
        ...{ clone3: 435, close_range: 436 },
      },
    },
  ],
  [
    'arm64',
    {
      audit: 0xc00000b7,
      numbers: {
        ...{
          ioctl: 29,
          close: 57,
          pipe2: 59,
          read: 63,
          write: 64,
          exit_group: 94,
          setsid: 157,
          sendmsg: 211,
        },
        ...{ recvmsg: 212, clone: 220, execve: 221, mmap: 222, accept4: 242, prlimit64: 261 },
        ...{ clone3: 435, close_range: 436 },
      },
    },
  ],
]);

/** What the init and B do under the filter, besides what they always do. */
export interface FilterNeeds {
  /** B waits for `start`. */
  start: boolean;
  /** B gets a controlling terminal. */
  terminal: boolean;
  /** B lowers limits in the end. */
  limits: boolean;
  /** B speaks through the sync socket, not through pipes. */
  socket: boolean;
}

/** The arguments that a profile may look at: CLONE_PARENT, and TIOCSCTTY of descriptor 0. */
const args: ReadonlyMap<Syscall, readonly number[]> = new Map<Syscall, readonly number[]>([
  ['clone', [0x8000]],
  ['ioctl', [0, 0x540e, 0]],
]);

/** The init has another way for these. */
const avoidable: readonly Syscall[] = ['clone3', ...initSyscalls.optional];
const { ENOSYS, EPERM } = errnos;

/**
 * Whether the init can load the filter before it clones B: the filter allows all that it and B do from then on.
 * False for a filter that is not understood. Arguments that are not named here count as 0: profiles look at none of
 * theirs.
 */
export function admitsClone(program: Uint8Array, needs: FilterNeeds, arch: string = process.arch): boolean {
  const architecture = architectures.get(arch);
  if (architecture === undefined) return false;
  const { always, optional, clone, exec, ...others } = initSyscalls;
  const wanted = (['start', 'socket', 'limits', 'terminal'] as const).filter((need) => needs[need]);
  const names: Syscall[] = [
    ...always,
    ...optional,
    ...clone,
    ...exec,
    ...wanted.flatMap((need) => others[need]),
  ];
  return names.every((name) =>
    isAdmitted(program, architecture.audit, {
      number: architecture.numbers[name],
      args: args.get(name) ?? [],
      refusals: avoidable.includes(name) ? [ENOSYS, EPERM] : [],
    }),
  );
}

const actionMask = 0xffff0000;
const allow = 0x7fff0000;
const logAndAllow = 0x7ffc0000;
const refuse = 0x00050000;

function isAdmitted(program: Uint8Array, audit: number, { number, args, refusals }: Call): boolean {
  const result = run(program, seccompData(number, audit, args));
  if (result === undefined) return false;
  const action = (result & actionMask) >>> 0;
  if (action === allow || action === logAndAllow) return true;
  return action === refuse && refusals.includes(result & 0xffff);
}

/** struct seccomp_data: int nr, u32 arch, u64 instruction pointer, u64 args[6]; little endian, as tsrun's hosts are. */
function seccompData(number: number, audit: number, args: readonly number[]): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, audit, true);
  args.forEach((value, index) => {
    data.setBigUint64(16 + 8 * index, BigInt(value), true);
  });
  return data;
}

/** Instructions of classic BPF (linux/bpf_common.h), those that seccomp(2) takes and libseccomp emits. */
const opcodes = {
  loadWord: 0x20,
  loadImmediate: 0x00,
  and: 0x54,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterOrEqual: 0x35,
  jumpSet: 0x45,
  returnValue: 0x06,
} as const;

const instructionBytes = 8;

/** What the program returns for `data`; undefined when it has an instruction that is not known here. */
function run(program: Uint8Array, data: DataView): number | undefined {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let at = 0; at + instructionBytes <= code.byteLength; at += instructionBytes) {
    const jumpTrue = code.getUint8(at + 2);
    const jumpFalse = code.getUint8(at + 3);
    const operand = code.getUint32(at + 4, true);
    const branch = (condition: boolean): void => {
      at += instructionBytes * (condition ? jumpTrue : jumpFalse);
    };
    switch (code.getUint16(at, true)) {
      case opcodes.loadWord:
        if (operand + 4 > data.byteLength) return undefined;
        accumulator = data.getUint32(operand, true);
        break;
      case opcodes.loadImmediate:
        accumulator = operand;
        break;
      case opcodes.and:
        accumulator = (accumulator & operand) >>> 0;
        break;
      case opcodes.jump:
        at += instructionBytes * operand;
        break;
      case opcodes.jumpEqual:
        branch(accumulator === operand);
        break;
      case opcodes.jumpGreater:
        branch(accumulator > operand);
        break;
      case opcodes.jumpGreaterOrEqual:
        branch(accumulator >= operand);
        break;
      case opcodes.jumpSet:
        branch((accumulator & operand) !== 0);
        break;
      case opcodes.returnValue:
        return operand;
      default:
        return undefined;
    }
  }
  return undefined;
}
