import { arch, release } from 'node:os';
import { join } from 'node:path';
import { libseccomp } from '../native/libseccomp.ts';
import type { Seccomp } from '../config/types.ts';
import { cacheFolder, cacheName, readCached, writeCached } from './cache.ts';
import type { CompiledFilter } from './compile.ts';
import { compileFilter } from './compile.ts';
import { requireKernelSupport } from './kernel.ts';

/** A filter, and what is left to be done once the state root is there. */
export interface PreparedFilter {
  filter: CompiledFilter;
  /** Stores it in the cache, unless it comes from there. Never fails. */
  keep: () => void;
}

/**
 * The filter for a config's profile, from the cache in the state root or compiled by libseccomp. To be called
 * before the plan is compiled, which takes it as PlanOptions.seccomp. Changes nothing.
 *
 * @throws TsrunError 'unsupported' or 'config' with the pointer of what libseccomp or the kernel refuses
 */
export function prepareFilter(seccomp: Seccomp, stateRoot: string): PreparedFilter {
  const folder = join(stateRoot, cacheFolder);
  const name = cacheName({
    profile: profileOf(seccomp),
    libseccomp: libseccomp().version,
    architecture: arch(),
    kernel: release(),
  });
  const cached = readCached(folder, name);
  if (cached !== undefined) return { filter: cached, keep: () => undefined };
  requireKernelSupport(seccomp);
  const filter = compileFilter(seccomp);
  return {
    filter,
    keep: () => {
      writeCached(folder, name, filter);
    },
  };
}

/** Where the agent listens is no part of the filter; it may differ from container to container. */
function profileOf(seccomp: Seccomp): Seccomp {
  const profile = { ...seccomp };
  delete profile.listenerPath;
  delete profile.listenerMetadata;
  return profile;
}
