import type { Integer } from '../config/types.ts';

/** A value to write to a file of the container's cgroup. */
export interface CgroupWrite {
  step: 'write';
  controller: string;
  file: string;
  value: string;
  /** JSON pointer of the property the value comes from. */
  pointer: string;
  /** Another file for the same thing, used when there is no `file`; its value when that differs. */
  alias?: { file: string; value?: string };
  /** Asks for the default: a kernel without the file, or without support for it, needs no write. */
  optional?: true;
  /** Refused with EINVAL, it is tried again after the controller's other writes: they constrain each other. */
  retry?: true;
  /**
   * For a limit newer kernels have no use for, which is a warning: what its file still says afterwards. They
   * may also refuse it with EOPNOTSUPP or lack the file.
   */
  unused?: { reads: string; message: string };
}

/** A limit to refuse when more is in use already. */
export interface CgroupCheck {
  step: 'check';
  controller: string;
  /** The files whose sum is the present usage, in bytes. */
  files: readonly string[];
  limit: bigint;
  pointer: string;
}

export type CgroupStep = CgroupWrite | CgroupCheck;

export const resourcesPointer = '/linux/resources';

/** The property in words: `memory limit` for /linux/resources/memory/limit. */
export function property({ pointer }: CgroupStep): string {
  return pointer.split('/').slice(3).join(' ');
}

/** A 64-bit integer, exactly, as cgroup files take it. */
export function decimal(value: Integer): string {
  return BigInt(value).toString();
}

/** True for a value that asks for something: for most limits callers send 0 when they mean "as it is". */
export function isSet(value: Integer | undefined): value is Integer {
  return value !== undefined && BigInt(value) !== 0n;
}
