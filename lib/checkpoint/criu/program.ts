import { closeSync, openSync } from 'node:fs';
import { TsrunError } from '../../core/error.ts';
import { findProgram } from '../../host/search-path.ts';
import { converse } from './converse.ts';
import { requestTypes } from './rpc.ts';

/** The criu of this host. */
export interface Criu {
  path: string;
  env: readonly string[];
}

/** 3.16: the first one that restores LSM profiles, external pid namespaces and cgroup v2 freezers right. */
const oldest = { major: 3, minor: 16 };

/** Looks for criu in $PATH. Throws 'unsupported' when there is none, or one that is too old. */
export function findCriu(env: readonly string[]): Criu {
  const path = findProgram('criu');
  if (path === undefined) {
    throw new TsrunError(
      'unsupported',
      'checkpoint and restore need the program criu, which is not in $PATH',
      {
        hint: 'install it (Debian, Ubuntu, Fedora: package criu; criu.org)',
      },
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
  const { success = false, version } = withNull((nothing) =>
    converse({
      program: path,
      env,
      stdio: [nothing, nothing, nothing],
      request: { type: requestTypes.version },
    }),
  );
  if (success && version?.major !== undefined) return { major: version.major, minor: version.minor ?? 0 };
  throw new TsrunError('unsupported', `${path} does not say which version it is`, {
    hint: 'it is either no criu or one older than 3.0',
  });
}

/** Lends /dev/null, for a program whose stdio is nobody's business. */
export function withNull<T>(use: (fd: number) => T): T {
  const fd = openSync('/dev/null', 'r+');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
