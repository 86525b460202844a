/**
 * Texts of paths, before the kernel sees them. Nothing here resolves: what `..` and links mean is decided by
 * the kernel, inside the rootfs.
 */

/**
 * An absolute path in one spelling: `a//b/./c/` becomes `/a/b/c`. `..` stays, since what it leads to depends on
 * the links before it.
 */
export function tidyPath(path: string): string {
  // Most paths are tidy already; this is the hot path.
  if (path === '/' || /^(?:\/(?!\.(?:\/|$))[^/]+)+$/.test(path)) return path;
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
}

/** True for the same place or one above it, by name: `/a` covers `/a` and `/a/b`. Both tidy. */
export function covers(above: string, path: string): boolean {
  return above === '/' || path === above || path.startsWith(`${above}/`);
}

/** What `path` is below `above`, from `/` on; undefined when it is not there, by name. Both tidy. */
export function insideOf(above: string, path: string): string | undefined {
  if (!covers(above, path) || path.split('/').includes('..')) return undefined;
  return above === '/' ? path : path.slice(above.length) || '/';
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A path of the host that may be relative to the bundle (config.md, "Mounts": source). */
export function fromBundle(bundle: string, path: string): string {
  return path.startsWith('/') ? path : `${bundle}/${path}`;
}
