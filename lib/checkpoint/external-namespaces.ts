/** Namespaces of a container that exist outside of it: those that its config names by a path. */
import { openSync, statSync } from 'node:fs';
import { fileError, TsrunError } from '../core/error.ts';
import { namespaces } from '../config/namespaces.ts';
import type { Config, Namespace, NamespaceType } from '../config/types.ts';
import type { CriuOptions } from './criu/rpc.ts';
import { closeAll } from '../host/filesystem.ts';

/**
 * criu does not dump these namespaces; restore passes it other ones under their key. The keys are runc's, so that tsrun
 * and runc can restore each other's images. Namespaces of other types are joined by their path.
 */
const keys: Partial<Record<NamespaceType, string>> = { network: 'extRootNetNS', pid: 'extRootPidNS' };

function joinedByPath({ linux }: Config): (Namespace & { path: string })[] {
  return (linux?.namespaces ?? []).filter(
    (namespace): namespace is Namespace & { path: string } =>
      namespace.path !== undefined && namespace.path !== '',
  );
}

/**
 * The external namespaces of the container with the first process `pid`, for criu's option `external`:
 * `net[4026531840]:extRootNetNS`.
 *
 * @throws TsrunError 'system' when a namespace cannot be looked at
 */
export function externalNamespaces(pid: number, config: Config): string[] {
  return joinedByPath(config).flatMap(({ type }) => {
    const key = keys[type];
    if (key === undefined) return [];
    const { procName } = namespaces[type];
    try {
      // The namespace of the process: the path in the config may lead to another one by now.
      return [`${procName}[${statSync(`/proc/${pid}/ns/${procName}`).ino}]:${key}`];
    } catch (error) {
      throw fileError(`look at the ${type} namespace of process ${pid}`, error);
    }
  });
}

/** Namespaces for a restore. The descriptors are open until `close`. */
export interface JoinedNamespaces {
  options: CriuOptions;
  /** Descriptors that criu must get, in this order, from `firstFd` on. */
  fds: number[];
  close: () => void;
}

/**
 * Opens the namespaces that the restored processes join.
 *
 * @param firstFd number of the first descriptor in criu
 * @throws TsrunError 'unsupported' for a cgroup namespace; 'system' when a path cannot be opened
 */
export function joinNamespaces(config: Config, firstFd: number): JoinedNamespaces {
  const fds: number[] = [];
  const inherit: { key: string; fd: number }[] = [];
  const join: { ns: string; ns_file: string }[] = [];
  const close = (): void => {
    closeAll(fds.splice(0));
  };
  try {
    for (const { type, path } of joinedByPath(config)) {
      const key = keys[type];
      if (key !== undefined) {
        inherit.push({ key, fd: firstFd + fds.length });
        fds.push(openNamespace(type, path));
      } else if (type === 'cgroup') {
        throw new TsrunError(
          'unsupported',
          'criu cannot restore into a cgroup namespace that exists already',
        );
      } else {
        join.push({ ns: namespaces[type].procName, ns_file: path });
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  return { options: { inherit_fd: inherit, join_ns: join }, fds, close };
}

function openNamespace(type: NamespaceType, path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw fileError(`open the ${type} namespace ${path}`, error);
  }
}

/**
 * True with prestart or createRuntime hooks, by which engines set up the network: criu must not dump it, since the
 * hooks make it again for the restored container. Pure.
 */
export function hooksMakeNetwork({ hooks }: Config): boolean {
  return (hooks?.prestart ?? []).length + (hooks?.createRuntime ?? []).length > 0;
}
