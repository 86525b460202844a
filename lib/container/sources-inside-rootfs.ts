/** Sources of bind mounts that lead into the rootfs through symbolic links of the host. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fromBundle, insideOf, tidyPath } from '../core/paths.ts';
import type { Bundle } from '../config/bundle.ts';
import { parseMounts } from '../config/mounts.ts';

/**
 * Sources of bind mounts that lead into `rootfs` through symbolic links, with their paths in it
 * (PlanOptions.sourcesInside). A source that does not exist yet may be made by an earlier mount: then the directories
 * above it decide.
 */
export function sourcesInside({ config, directory }: Bundle, rootfs: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (rootfs === '/') return found;
  for (const { mount, bind, options } of parseMounts(config)) {
    const { source = '' } = mount;
    if (source === '' || !bind) continue;
    const path = fromBundle(directory, source);
    // With these options the link itself is mounted or copied.
    const inside = findInside(
      rootfs,
      path,
      options.sourceNoFollow || options.copySymlink ? belowRealPath : realPath,
    );
    if (inside !== undefined) found.set(path, inside);
  }
  return found;
}

function findInside(rootfs: string, path: string, real: (path: string) => string): string | undefined {
  const whole = real(path);
  const tidy = tidyPath(path);
  // The usual case: no link on the way.
  if (whole === tidy) return undefined;
  // The first link into the rootfs decides: links behind it belong to the image, and may lead anywhere.
  const parts = tidy.slice(1).split('/');
  for (let end = 1; end < parts.length && !parts.includes('..'); end++) {
    const inside = insideOf(rootfs, realPath(`/${parts.slice(0, end).join('/')}`));
    if (inside !== undefined) return join(inside, ...parts.slice(end));
  }
  return insideOf(rootfs, whole);
}

/** Resolves the links of a path as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return belowRealPath(path);
  }
}

function belowRealPath(path: string): string {
  const whole = resolve(path);
  return whole === '/' ? whole : join(realPath(dirname(whole)), basename(whole));
}
