/** What a system call looks like to a filter (struct seccomp_data). */
export interface Call {
  arch: number;
  number: number;
  args?: readonly bigint[];
}

/** Runs a filter of classic BPF as the kernel would, and returns what it returns. Knows what libseccomp writes. */
export function askFilter(program: Uint8Array, { arch, number, args = [] }: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((arg, i) => data.writeBigUInt64LE(arg, 16 + 8 * i));
  const code = Buffer.from(program);
  let accumulator = 0;
  for (let at = 0; at < code.length / 8; at++) {
    const operation = code.readUInt16LE(8 * at);
    const k = code.readUInt32LE(8 * at + 4);
    const jump = (holds: boolean): void => {
      at += code.readUInt8(8 * at + (holds ? 2 : 3));
    };
    switch (operation) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS
        accumulator = data.readUInt32LE(k);
        break;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x05: // BPF_JMP | BPF_JA
        at += k;
        break;
      case 0x15: // BPF_JMP | BPF_JEQ | BPF_K
        jump(accumulator === k);
        break;
      case 0x25: // BPF_JMP | BPF_JGT | BPF_K
        jump(accumulator > k);
        break;
      case 0x35: // BPF_JMP | BPF_JGE | BPF_K
        jump(accumulator >= k);
        break;
      case 0x45: // BPF_JMP | BPF_JSET | BPF_K
        jump((accumulator & k) !== 0);
        break;
      case 0x06: // BPF_RET | BPF_K
        return k;
      default:
        throw new Error(`no instruction of a filter: 0x${operation.toString(16)}`);
    }
  }
  throw new Error('the filter has no end');
}
