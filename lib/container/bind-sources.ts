/** Sources of bind mounts that lead into the rootfs by links of the host. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fromBundle, insideOf, tidyPath } from '../core/paths.ts';
import type { Bundle } from '../config/bundle.ts';
import { parseMounts } from '../config/mounts.ts';

/**
 * For compile (PlanOptions): which sources are places in `rootfs`, though their names do not say so. What is
 * missing yet may come by an earlier mount, so the folders above it tell.
 */
export function sourcesInside({ config, directory }: Bundle, rootfs: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (rootfs === '/') return found;
  for (const { mount, bind, options } of parseMounts(config)) {
    const { source = '' } = mount;
    if (source === '' || !bind) continue;
    const path = fromBundle(directory, source);
    // A link that is shown or copied itself is not where it leads.
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
  // Nearly always: no link at all on the way.
  if (whole === tidy) return undefined;
  // The first link into the rootfs counts. What comes behind it is the image's, and may lead anywhere.
  const parts = tidy.slice(1).split('/');
  for (let end = 1; end < parts.length && !parts.includes('..'); end++) {
    const inside = insideOf(rootfs, realPath(`/${parts.slice(0, end).join('/')}`));
    if (inside !== undefined) return join(inside, ...parts.slice(end));
  }
  return insideOf(rootfs, whole);
}

/** The path without links as far as there are files, and the rest of it as it is. */
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
