/** Values of linux.resources that mean something of their own. */
import type { Integer } from './types.ts';

/** True for a size as the kernel writes it in the names of the hugetlb files; which ones there are, it knows. */
export function isHugePageSize(size: string): boolean {
  return /^[1-9][0-9]*[KMGTPE]B$/.test(size);
}

/** Engines write -1, as the unsigned number its 64 bits are, for a swappiness that nobody asked for. */
export function isUnsetSwappiness(swappiness: Integer): boolean {
  return BigInt(swappiness) === 0xffff_ffff_ffff_ffffn;
}

/**
 * The letters r, w and m (mknod) of a device rule's access, each once; empty for none. Engines also write `a`, which
 * runc ignores.
 */
export function accessLetters(access: string): string {
  return ['r', 'w', 'm'].filter((letter) => access.includes(letter)).join('');
}
