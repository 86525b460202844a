import { arch, release } from 'node:os';
import { join } from 'node:path';
import { libseccomp } from '../native/libseccomp.ts';
import type { Seccomp } from '../config/types.ts';
import { cacheFolder, keyText, readCached, writeCached } from './cache.ts';
import { type CompiledFilter, compileFilter } from './compile.ts';
import { requireKernelSupport } from './kernel-support.ts';

/** A filter, and a function to call when the state root exists. */
export interface PreparedFilter {
  filter: CompiledFilter;
  /** Stores the filter in the cache, unless it comes from there. Never fails. */
  keep: () => void;
}

/**
 * The filter for a config's profile, from the cache in the state root or compiled by libseccomp. Writes nothing.
 *
 * @throws TsrunError 'unsupported' or 'config' with the pointer of what libseccomp or the kernel refuses
 */
export function prepareFilter(seccomp: Seccomp, stateRoot: string): PreparedFilter {
  const folder = join(stateRoot, cacheFolder);
  const key = filterKey(seccomp);
  const cached = readCached(folder, key);
  if (cached !== undefined) return { filter: cached, keep: () => undefined };
  requireKernelSupport(seccomp);
  const filter = compileFilter(seccomp);
  return {
    filter,
    keep: () => {
      writeCached(folder, key, filter);
    },
  };
}

/** The text of the filter's key in the cache. Where the agent listens is no part of the filter. */
export function filterKey(seccomp: Seccomp): string {
  const profile = { ...seccomp };
  delete profile.listenerPath;
  delete profile.listenerMetadata;
  return keyText({ profile, libseccomp: libseccomp().version, architecture: arch(), kernel: release() });
}
