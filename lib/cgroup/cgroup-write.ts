import { pointerTo } from '../core/pointer.ts';
import type { Integer, MemoryResources, Resources } from '../config/types.ts';

/** A value to write to a file of the container's cgroup. */
export interface CgroupWrite {
  step: 'write';
  controller: string;
  file: string;
  value: string;
  /** JSON pointer of the property the value comes from. */
  pointer: string;
  /** Another file for the same limit, written when `file` does not exist; `value` when it differs there. */
  alias?: { file: string; value?: string };
  /** The value is the default: a kernel without the file, or without support for it, needs no write. */
  optional?: true;
  /** When the kernel says EINVAL, write again after the controller's other files: they constrain each other. */
  retry?: true;
  /**
   * For a limit that newer kernels ignore: they lack the file, refuse the write with EOPNOTSUPP, or the file reads
   * `reads` afterwards. `message` is the warning.
   */
  unused?: { reads: string; message: string };
}

/** A limit that is refused when more is in use already. */
export interface UsageCheck {
  step: 'check';
  controller: string;
  /** The files whose sum is what is in use, in bytes. */
  files: readonly string[];
  limit: bigint;
  pointer: string;
}

export type CgroupStep = CgroupWrite | UsageCheck;

/** The groups of linux.resources that are limits: all but the device rules. */
export type LimitGroup = Exclude<keyof Resources, 'devices'>;

export const resourcesPointer = '/linux/resources';

/** A write for a property of linux.resources, which `at` leads to. Cgroup files are named after their controller. */
export function cgroupWrite(file: string, value: string, ...at: readonly (string | number)[]): CgroupWrite {
  return {
    step: 'write',
    controller: controllerOf(file),
    file,
    value,
    pointer: pointerTo(resourcesPointer, ...at),
  };
}

/** The check of a memory limit before it is written (checkBeforeUpdate); none for a property without a limit. */
export function usageCheck(
  property: keyof MemoryResources,
  value: Integer | undefined,
  ...files: readonly string[]
): UsageCheck[] {
  if (!isSet(value) || BigInt(value) < 0n) return [];
  const pointer = pointerTo(resourcesPointer, 'memory', property);
  return [{ step: 'check', controller: 'memory', files, limit: BigInt(value), pointer }];
}

/** `memory` for memory.max. */
export function controllerOf(file: string): string {
  return file.split('.', 1).join('');
}

/** The property in words: `memory limit` for /linux/resources/memory/limit. */
export function propertyName({ pointer }: CgroupStep): string {
  return pointer.split('/').slice(3).join(' ');
}

/** A 64-bit integer, exactly, as cgroup files take it. */
export function decimal(value: Integer): string {
  return BigInt(value).toString();
}

/** True for a value that asks for something: for most limits 0 leaves the limit unchanged, as engines expect of runc. */
export function isSet(value: Integer | undefined): value is Integer {
  return value !== undefined && BigInt(value) !== 0n;
}

/** `8:0`, as the files of block devices take it. */
export function deviceNumber({ major, minor }: { major: number; minor: number }): string {
  return `${String(major)}:${String(minor)}`;
}
