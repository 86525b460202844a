/** Lists of numbers and rising ranges, as the kernel writes them for CPUs and memory nodes: `0-3,7`. */

interface Range {
  first: number;
  last: number;
}

function rangesOf(list: string): Range[] | undefined {
  const ranges: Range[] = [];
  for (const part of list.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part) ?? [];
    if (first === undefined || Number(first) > Number(last)) return undefined;
    ranges.push({ first: Number(first), last: Number(last) });
  }
  return ranges;
}

/** The numbers of a list from the kernel, in rising order; undefined when it is no list. */
export function numbersOf(list: string): number[] | undefined {
  return rangesOf(list)?.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

/** True for one or more numbers and rising ranges. */
export function isNumberList(list: string): boolean {
  return rangesOf(list) !== undefined;
}

/**
 * True when every number of the list is in the other list, which is written as the kernel writes one: sorted, its
 * ranges as long as possible. True for lists of another form (`all`, strides), which the kernel judges.
 */
export function isListWithin(list: string, available: string): boolean {
  const [wanted, had] = [rangesOf(list), available.trim() === '' ? [] : rangesOf(available)];
  if (wanted === undefined || had === undefined) return true;
  return wanted.every(({ first, last }) => had.some((range) => range.first <= first && last <= range.last));
}

/**
 * The list as a bit mask in whole 64-bit words, little endian, as set_mempolicy(2) and sched_setaffinity(2) take
 * it; undefined when it is no list, or has a number of `limit` or more. An empty list is an empty mask.
 */
export function numberMask(list: string, limit: number): Uint8Array | undefined {
  if (list.trim() === '') return new Uint8Array();
  const ranges = rangesOf(list);
  if (ranges === undefined) return undefined;
  const largest = ranges.reduce((most, { last }) => Math.max(most, last), 0);
  if (largest >= limit) return undefined;
  const mask = new Uint8Array((Math.floor(largest / 64) + 1) * 8);
  for (const { first, last } of ranges) {
    for (let number = first; number <= last; number++) {
      const byte = number >> 3;
      mask[byte] = (mask[byte] ?? 0) | (1 << (number & 7));
    }
  }
  return mask;
}

/** The numbers of a mask, as a list: `0-3,7`. */
export function numberList(mask: Uint8Array): string {
  const parts: string[] = [];
  let first = -1;
  for (let number = 0; number <= mask.length * 8; number++) {
    const set = ((mask[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
    if (set && first < 0) first = number;
    if (!set && first >= 0) {
      const last = number - 1;
      parts.push(first === last ? String(first) : `${first}-${last}`);
      first = -1;
    }
  }
  return parts.join(',');
}
