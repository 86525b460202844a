/** An access as the kernel asks a device program about it. */
export interface DeviceRequest {
  type: 'b' | 'c';
  major: number;
  minor: number;
  /** Some of `rwm`; none for access(2) with F_OK. */
  access: string;
}

const bits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

/**
 * Runs a device program as the kernel does and returns its answer. Knows the instructions these programs are made
 * of, and no others; throws where the verifier refuses a program.
 */
export function askProgram(code: Uint8Array, { type, major, minor, access }: DeviceRequest): boolean {
  const wanted = access.split('').reduce((sum, letter) => sum | (bits[letter] ?? 0), 0);
  const context = [((wanted << 16) | (type === 'b' ? 1 : 2)) >>> 0, major, minor];
  const program = Buffer.from(code);
  const registers: (number | 'context' | undefined)[] = [undefined, 'context'];
  const read = (register: number): number => {
    const value = registers[register];
    if (typeof value !== 'number') throw new Error(`r${String(register)} is no number`);
    return value;
  };
  for (let at = 0; at < program.length / 8; at++) {
    const opcode = program.readUInt8(at * 8);
    const to = program.readUInt8(at * 8 + 1) & 0xf;
    const from = program.readUInt8(at * 8 + 1) >> 4;
    const offset = program.readInt16LE(at * 8 + 2);
    const immediate = program.readInt32LE(at * 8 + 4);
    switch (opcode) {
      case 0x61:
        if (registers[from] !== 'context') throw new Error('a load from elsewhere');
        registers[to] = context[offset / 4];
        break;
      case 0xbc:
        registers[to] = read(from);
        break;
      case 0x54:
        registers[to] = (read(to) & immediate) >>> 0;
        break;
      case 0x74:
        registers[to] = read(to) >>> immediate;
        break;
      case 0xb7:
        registers[to] = immediate;
        break;
      case 0x55:
        if (read(to) !== immediate) at += offset;
        break;
      case 0x45:
        if ((read(to) & immediate) !== 0) at += offset;
        break;
      case 0x95:
        return read(0) === 1;
      default:
        throw new Error(`unknown instruction 0x${opcode.toString(16)}`);
    }
  }
  throw new Error('the program runs over its end');
}

/** The places of instructions that nothing leads to, which the verifier refuses. */
export function unreachable(code: Uint8Array): number[] {
  const program = Buffer.from(code);
  const count = program.length / 8;
  const reached = new Set([0]);
  // Jumps only lead forward, so one pass sees them all.
  for (let at = 0; at < count; at++) {
    if (!reached.has(at)) continue;
    const opcode = program.readUInt8(at * 8);
    if (opcode === 0x95) continue;
    reached.add(at + 1);
    if (opcode !== 0x55 && opcode !== 0x45) continue;
    const offset = program.readInt16LE(at * 8 + 2);
    if (offset < 0 || at + 1 + offset >= count) throw new Error(`a jump from ${String(at)} leads nowhere`);
    reached.add(at + 1 + offset);
  }
  return Array.from({ length: count }, (_, at) => at).filter((at) => !reached.has(at));
}
