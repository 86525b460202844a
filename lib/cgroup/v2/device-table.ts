import type { DevicePattern } from '../device-rules.ts';

/** BPF_DEVCG_ACC_MKNOD, _READ and _WRITE. */
const accessBits = [
  ['m', 1],
  ['r', 2],
  ['w', 4],
] as const;
export const everyAccess = 7;

/** No device has larger numbers: they do not fit into the kernel's dev_t. */
const largestMajor = 0xfff;
const largestMinor = 0xfffff;

/** For each kind of access: the 1-based index of the last matching rule, negative if it denies, 0 if there is none. */
type LastRules = [mknod: number, read: number, write: number];

/** The access that rules, in their order, allow to the devices of one type. Undefined is a number that no rule names. */
export class DeviceTable {
  private readonly lasts = new Map<string, LastRules>();
  private readonly numbers = new Map<number | undefined, Set<number>>();
  private count = 0;

  add({ major, minor, access }: Omit<DevicePattern, 'types'>, allow: boolean): void {
    this.count += 1;
    if ((major ?? 0) > largestMajor || (minor ?? 0) > largestMinor) return;
    const last = this.last(major, minor) ?? [0, 0, 0];
    for (const [index, [letter]] of accessBits.entries()) {
      if (access.includes(letter)) last[index] = allow ? this.count : -this.count;
    }
    this.lasts.set(key(major, minor), last);
    const minors = this.numbers.get(major) ?? new Set();
    if (minor !== undefined) minors.add(minor);
    this.numbers.set(major, minors);
  }

  /** The kinds of access that a device is allowed; none without a rule. */
  allowed(major: number | undefined, minor: number | undefined): number {
    const found = [
      this.last(major, minor),
      this.last(major, undefined),
      this.last(undefined, minor),
      this.last(undefined, undefined),
    ];
    let bits = 0;
    for (const [index, [, bit]] of accessBits.entries()) {
      let decisive = 0;
      for (const last of found) {
        const rule = last?.[index] ?? 0;
        if (Math.abs(rule) > Math.abs(decisive)) decisive = rule;
      }
      if (decisive > 0) bits |= bit;
    }
    return bits;
  }

  /** The majors that rules name. */
  majors(): number[] {
    return [...this.numbers.keys()].filter((major) => major !== undefined);
  }

  /** The minors that rules name together with this major, or for all majors. */
  minors(major: number | undefined): number[] {
    const own = this.numbers.get(major) ?? [];
    return [...new Set([...own, ...(this.numbers.get(undefined) ?? [])])];
  }

  private last(major: number | undefined, minor: number | undefined): LastRules | undefined {
    return this.lasts.get(key(major, minor));
  }
}

function key(major: number | undefined, minor: number | undefined): string {
  return `${String(major ?? '*')}:${String(minor ?? '*')}`;
}
