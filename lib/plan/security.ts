/** What the container may not see or change (config-linux.md: "Sysctl", "Masked Paths", "Readonly Paths"). */
import { TsrunError } from '../core/error.ts';
import { sysctlPath } from '../config/sysctl.ts';
import type { Draft } from './draft.ts';
import type { Op } from './wire.ts';

/** sysctl of the container's namespaces. Before readonlyPaths, which usually has /proc/sys. */
export function compileSysctl({ config }: Draft): Op[] {
  return Object.entries(config.linux?.sysctl ?? {}).map(([key, value]): Op => {
    const origin = `/linux/sysctl/${pointerToken(key)}`;
    return { op: 'sysctl', origin, path: parameterPath(key, origin), value };
  });
}

/** @throws TsrunError 'config' for one that would lead out of /proc/sys */
function parameterPath(key: string, pointer: string): string {
  const path = sysctlPath(key);
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw new TsrunError('config', `'${key}' is not the name of a sysctl`, { pointer });
  }
  return path;
}

/** After all mounts, so that none of them shows a masked path again. */
export function compilePaths(draft: Draft): Op[] {
  const { readonlyPaths = [], maskedPaths = [] } = draft.config.linux ?? {};
  if (!draft.ownMounts) {
    refusePaths('readonlyPaths', readonlyPaths);
    refusePaths('maskedPaths', maskedPaths);
    return [];
  }
  return [
    // Read-only ones first: making a path read-only copies what is mounted on it, so a mask goes on top.
    ...readonlyPaths.map((path, index): Op => ({
      op: 'readonlyPath',
      origin: `/linux/readonlyPaths/${index}`,
      path,
    })),
    ...maskedPaths.map((path, index): Op => ({
      op: 'maskPath',
      origin: `/linux/maskedPaths/${index}`,
      path,
    })),
  ];
}

function refusePaths(property: string, paths: readonly string[]): void {
  if (paths.length === 0) return;
  throw new TsrunError('config', `${property} needs a mount namespace`, { pointer: `/linux/${property}` });
}

/** A key as a part of a JSON pointer (RFC 6901). */
function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
