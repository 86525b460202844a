import { closeSync, openSync } from 'node:fs';
import { TsrunError } from '../../core/error.ts';
import { findProgram } from '../../host/search-path.ts';
import { callCriu } from './call.ts';
import { requestTypes } from './rpc.ts';

/** criu on this host. */
export interface Criu {
  path: string;
  env: readonly string[];
}

/** Older versions make mistakes with LSM profiles, external pid namespaces and the freezer of cgroup v2. */
const oldest = { major: 3, minor: 16 };

/**
 * Looks for criu in $PATH.
 *
 * @throws TsrunError 'unsupported' when there is none, or one that is too old
 */
export function findCriu(env: readonly string[]): Criu {
  const path = findProgram('criu');
  if (path === undefined) {
    throw new TsrunError(
      'unsupported',
      'checkpoint and restore need the program criu, which is not in $PATH',
      { hint: 'install it (Debian, Ubuntu, Fedora: package criu; criu.org)' },
    );
  }
  const criu = { path, env };
  const { major, minor } = versionOf(criu);
  if (major < oldest.major || (major === oldest.major && minor < oldest.minor)) {
    throw new TsrunError(
      'unsupported',
      `${path} is criu ${major}.${minor}, tsrun needs ${oldest.major}.${oldest.minor} or later`,
    );
  }
  return criu;
}

function versionOf({ path, env }: Criu): { major: number; minor: number } {
  const { success = false, version } = withDevNull((devNull) =>
    callCriu({
      program: path,
      env,
      stdio: [devNull, devNull, devNull],
      request: { type: requestTypes.version },
    }),
  );
  if (success && version?.major !== undefined) return { major: version.major, minor: version.minor ?? 0 };
  throw new TsrunError('unsupported', `${path} does not say which version it is`, {
    hint: 'it is another program, or criu before 3.0',
  });
}

/** Opens /dev/null and calls `use` with the descriptor. */
export function withDevNull<T>(use: (fd: number) => T): T {
  const fd = openSync('/dev/null', 'r+');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
