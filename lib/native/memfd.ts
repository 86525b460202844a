import { readFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const memfdEmpty = native('int tsrun_memfd(const char *)');
const memfdBytes: Native<[string, Uint8Array, number]> = native(
  'int tsrun_memfd_bytes(const char *, const void *, unsigned int)',
);
const memfdFile: Native<[string, string]> = native('int tsrun_memfd_file(const char *, const char *)');

/**
 * A memfd (memfd_create(2)) holding `bytes`, sealed against every change, its offset at 0. `name` only shows
 * in /proc. Not executable on kernels that tell (6.3).
 */
export function sealedMemfd(name: string, bytes: Uint8Array): number {
  const result = memfdBytes(name, bytes, bytes.length);
  if (result < 0) throw systemError(`make the memory file ${name}`, result);
  return result;
}

/**
 * An executable memfd with a copy of the regular file at `path`, sealed against every change: a process that
 * runs from it shows no file of the host as its /proc/<pid>/exe.
 */
export function sealedMemfdOfFile(name: string, path: string): number {
  const result = memfdFile(name, path);
  if (result === -os.errno.EACCES && isExecutionForbidden()) {
    throw systemError(`copy ${path} into memory`, result, {
      hint: 'The sysctl vm.memfd_noexec must not be 2: containers start from an executable memory file.',
    });
  }
  if (result < 0) throw systemError(`copy ${path} into memory`, result);
  return result;
}

/** An empty memory file that others write to. */
export function memfd(name: string): number {
  const result = memfdEmpty(name);
  if (result < 0) throw systemError(`make the memory file ${name}`, result);
  return result;
}

/** True when the administrator has forbidden executable memory files (Documentation/admin-guide/sysctl/vm.rst). */
function isExecutionForbidden(): boolean {
  try {
    return readFileSync('/proc/sys/vm/memfd_noexec', 'latin1').trim() === '2';
  } catch {
    return false;
  }
}
