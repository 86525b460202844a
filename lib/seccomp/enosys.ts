/**
 * Classic BPF in front of a filter: a system call with a higher number than all that the profile names is newer than
 * the profile, and fails with ENOSYS, so that programs fall back to an older one. With the profile's default (mostly
 * EPERM) they would give up.
 */

/** The highest system call number a profile names, for one architecture. */
export interface NewestSyscall {
  /** AUDIT_ARCH_* value of the architecture. */
  arch: number;
  /** x32 shares its AUDIT_ARCH with x86_64 and is told apart by bit 30 of the number. */
  x32: boolean;
  newest: number;
}

/** One struct sock_filter (linux/filter.h). */
interface Instruction {
  code: number;
  jumpTrue: number;
  jumpFalse: number;
  k: number;
}

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP = 0x05; // BPF_JMP | BPF_JA
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GREATER = 0x25; // BPF_JMP | BPF_JGT | BPF_K
const JUMP_BITS = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

/** Offsets in struct seccomp_data. */
const numberOffset = 0;
const archOffset = 4;
const x32Bit = 0x40000000;
const returnEnosys = 0x00050000 | 38;

/** The instructions for these architectures, to put in front of a filter. */
export function enosysStub(architectures: readonly NewestSyscall[]): Uint8Array {
  const byArch = new Map<number, NewestSyscall[]>();
  for (const entry of architectures) byArch.set(entry.arch, [...(byArch.get(entry.arch) ?? []), entry]);
  if (byArch.size === 0) return new Uint8Array();
  const blocks = [...byArch].map(([arch, entries]) => archBlock(arch, entries));
  const length = blocks.reduce((sum, block) => sum + block.length + 1, 0);
  const program: Instruction[] = [{ code: LOAD_WORD, jumpTrue: 0, jumpFalse: 0, k: archOffset }];
  let left = length;
  for (const block of blocks) {
    left -= block.length + 1;
    // At the end of the block jump to the filter, past the other blocks.
    program.push(...block, { code: JUMP, jumpTrue: 0, jumpFalse: 0, k: left });
  }
  return encode(program);
}

/** For one architecture: returns ENOSYS, or goes on behind it. For others: skips itself and the jump behind it. */
function archBlock(arch: number, entries: readonly NewestSyscall[]): Instruction[] {
  const native = entries.find((entry) => !entry.x32);
  const x32 = entries.find((entry) => entry.x32);
  const body: Instruction[] = [{ code: LOAD_WORD, jumpTrue: 0, jumpFalse: 0, k: numberOffset }];
  const check = (entry: NewestSyscall): Instruction[] => [
    { code: JUMP_GREATER, jumpTrue: 0, jumpFalse: 1, k: entry.newest },
    { code: RETURN, jumpTrue: 0, jumpFalse: 0, k: returnEnosys },
  ];
  // Numbers with the x32 bit are compared with x32's newest one only; without x32 the filter decides.
  const nativeChecks = native === undefined ? [] : check(native);
  const x32Checks = x32 === undefined ? [] : check({ ...x32, newest: (x32.newest | x32Bit) >>> 0 });
  body.push({ code: JUMP_BITS, jumpTrue: nativeChecks.length + 1, jumpFalse: 0, k: x32Bit });
  body.push(...nativeChecks, { code: JUMP, jumpTrue: 0, jumpFalse: 0, k: x32Checks.length }, ...x32Checks);
  return [{ code: JUMP_EQUAL, jumpTrue: 0, jumpFalse: body.length + 1, k: arch }, ...body];
}

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach((instruction, i) => {
    bytes.writeUInt16LE(instruction.code, i * 8);
    bytes.writeUInt8(instruction.jumpTrue, i * 8 + 2);
    bytes.writeUInt8(instruction.jumpFalse, i * 8 + 3);
    bytes.writeUInt32LE(instruction.k >>> 0, i * 8 + 4);
  });
  return bytes;
}
