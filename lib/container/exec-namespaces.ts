import { statSync } from 'node:fs';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';
import { findNamespace, namespaces, namespaceTypes } from '../config/namespaces.ts';
import type { Linux, NamespaceType } from '../config/types.ts';

/**
 * The namespaces of the config which the process `pid` is in and tsrun is not: setns(2) refuses a user namespace
 * that one is in already, and a path in the config may name tsrun's own.
 */
export function foreignNamespaces(pid: number, linux: Linux | undefined): NamespaceType[] {
  return namespaceTypes.filter(
    (type) => findNamespace(linux, type) !== undefined && identity(pid, type) !== identity('self', type),
  );
}

function identity(pid: number | 'self', type: NamespaceType): string {
  const path = `/proc/${pid}/ns/${namespaces[type].procName}`;
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    const denied = hasErrno(error, 'EACCES', 'EPERM');
    throw fileError(
      `look at the namespace ${path}`,
      error,
      denied ? { hint: 'joining a container needs root, or to be the user who made its user namespace' } : {},
    );
  }
}
