import { readFileSync } from 'node:fs';
import { errnos } from '../core/errno.ts';
import { systemError } from '../core/error.ts';
import { call, checked } from './library.ts';

/**
 * Makes a memfd (memfd_create(2)) with these bytes, sealed against every change, its offset at 0. It cannot be
 * executed on kernels that know such memfds (6.3).
 *
 * @param name what /proc shows; it means nothing else.
 * @throws TsrunError 'system'
 */
export function sealedMemfd(name: string, bytes: Uint8Array): number {
  return checked(`make the memory file ${name}`, call('tsrun_memfd_bytes', name, bytes, bytes.length));
}

/**
 * Makes an executable memfd with a copy of the regular file at `path`, sealed against every change: the
 * /proc/<pid>/exe of a process that runs it is no file of the host.
 *
 * @throws TsrunError 'system'
 */
export function sealedMemfdOfFile(name: string, path: string): number {
  const what = `copy ${path} into memory`;
  const result = call('tsrun_memfd_file', name, path);
  if (result === -errnos.EACCES && isExecutionForbidden()) {
    throw systemError(what, result, {
      hint: 'The sysctl vm.memfd_noexec must not be 2: containers start from an executable memory file.',
    });
  }
  return checked(what, result);
}

/**
 * Makes an empty memory file for others to write to.
 *
 * @throws TsrunError 'system'
 */
export function memfd(name: string): number {
  return checked(`make the memory file ${name}`, call('tsrun_memfd', name));
}

/** True when the administrator forbids executable memory files (Documentation/admin-guide/sysctl/vm.rst). */
function isExecutionForbidden(): boolean {
  try {
    return readFileSync('/proc/sys/vm/memfd_noexec', 'latin1').trim() === '2';
  } catch {
    return false;
  }
}
