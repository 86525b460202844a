import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf } from '../core/error.ts';
import { errnoText } from '../core/errno.ts';
import { configError } from './location.ts';
import type { Bundle } from './bundle.ts';

/**
 * The absolute path of the root filesystem, links resolved (config.md, "Root").
 *
 * @throws TsrunError 'config' when there is no such directory.
 */
export function resolveRootfs(bundle: Bundle): string {
  const { root } = bundle.config;
  if (root === undefined) throw configError(bundle, '/root', 'required property is missing');
  const path = resolve(bundle.directory, root.path);
  try {
    const real = realpathSync.native(path);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw configError(bundle, '/root/path', `the rootfs ${path}: ${errnoText(errno)}`, {
      errno,
      cause: error,
    });
  }
  throw configError(bundle, '/root/path', `the rootfs ${path} is not a directory`);
}
