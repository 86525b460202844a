/**
 * An instruction of eBPF (Documentation/bpf/standardization/instruction-set.rst) as in struct bpf_insn: opcode,
 * registers, jump offset, immediate value. Those below are what a device program needs. They are as old as device
 * programs (Linux 4.15), and jump only forward.
 */
export type Instruction = readonly [code: number, registers: number, offset: number, immediate: number];

/** Loads the 32-bit word at `offset` of what `from` points to into `to`. */
export function load32(to: number, from: number, offset: number): Instruction {
  return [0x61, to | (from << 4), offset, 0];
}

export function copy32(to: number, from: number): Instruction {
  return [0xbc, to | (from << 4), 0, 0];
}

export function and32(register: number, value: number): Instruction {
  return [0x54, register, 0, value];
}

export function shiftRight32(register: number, bits: number): Instruction {
  return [0x74, register, 0, bits];
}

export function set(register: number, value: number): Instruction {
  return [0xb7, register, 0, value];
}

/** Skips `by` instructions when the register has any of these bits. */
export function skipIfSet(register: number, bits: number, by: number): Instruction {
  return [0x45, register, by, bits];
}

/** Runs `then` when the register is `value` (less than 2^31), else skips it. */
export function when(register: number, value: number, then: readonly Instruction[]): Instruction[] {
  return [[0x55, register, then.length, value], ...then];
}

/** Returns r0. */
export const exit: Instruction = [0x95, 0, 0, 0];

/** How many instructions a jump can skip: its offset has 16 bits. */
export const longestJump = 0x7fff;

/** An array of struct bpf_insn, in little-endian byte order as all supported machines have it. */
export function encodeInstructions(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, registers, offset, immediate], index) => {
    bytes.writeUInt8(code, index * 8);
    bytes.writeUInt8(registers, index * 8 + 1);
    bytes.writeInt16LE(offset, index * 8 + 2);
    bytes.writeInt32LE(immediate, index * 8 + 4);
  });
  return bytes;
}
