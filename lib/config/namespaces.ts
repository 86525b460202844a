import type { Linux, Namespace, NamespaceType } from './types.ts';

export interface NamespaceFacts {
  /** The CLONE_NEW* bit of clone(2), unshare(2) and setns(2). */
  flag: number;
  /** The link in /proc/<pid>/ns (namespaces(7)). */
  procName: string;
}

/** The namespaces of runtime-spec (config-linux.md, "Namespaces") as the kernel knows them. */
export const namespaces: Readonly<Record<NamespaceType, NamespaceFacts>> = {
  user: { flag: 0x10000000, procName: 'user' },
  pid: { flag: 0x20000000, procName: 'pid' },
  network: { flag: 0x40000000, procName: 'net' },
  mount: { flag: 0x00020000, procName: 'mnt' },
  ipc: { flag: 0x08000000, procName: 'ipc' },
  uts: { flag: 0x04000000, procName: 'uts' },
  cgroup: { flag: 0x02000000, procName: 'cgroup' },
  time: { flag: 0x00000080, procName: 'time' },
};

/** The names, in the order of the table. */
export const namespaceTypes = Object.keys(namespaces) as readonly NamespaceType[];

/** The config's entry for a namespace; undefined means the container shares the runtime's. */
export function findNamespace(linux: Linux | undefined, type: NamespaceType): Namespace | undefined {
  return linux?.namespaces?.find((namespace) => namespace.type === type);
}

/** True when the container gets a fresh namespace of this type, not the runtime's and not one joined by path. */
export function hasNewNamespace(linux: Linux | undefined, type: NamespaceType): boolean {
  const namespace = findNamespace(linux, type);
  // An empty path is what Go programs write for "none".
  return namespace !== undefined && (namespace.path === undefined || namespace.path === '');
}

/** True when the container joins the namespace at the path that the config names. */
export function joinsNamespace(linux: Linux | undefined, type: NamespaceType): boolean {
  return hasNamespace(linux, type) && !hasNewNamespace(linux, type);
}

/** True when the container is in a namespace of its own for the config: a new one or one joined by path. */
export function hasNamespace(linux: Linux | undefined, type: NamespaceType): boolean {
  return findNamespace(linux, type) !== undefined;
}
