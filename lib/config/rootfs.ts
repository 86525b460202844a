import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { errnoOrRethrow, errnoText } from '../core/errno.ts';
import type { Bundle } from './bundle.ts';

/**
 * The absolute path of the root filesystem, links resolved (config.md, "Root").
 *
 * @throws TsrunError 'config' when there is no such directory.
 */
export function resolveRootfs(bundle: Bundle): string {
  const { root } = bundle.config;
  if (root === undefined)
    throw new TsrunError('config', 'required property is missing', { pointer: '/root', source: bundle });
  const pointer = '/root/path';
  const path = resolve(bundle.directory, root.path);
  try {
    const real = realpathSync.native(path);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    const errno = errnoOrRethrow(error);
    throw new TsrunError('config', `the rootfs ${path}: ${errnoText(errno)}`, {
      pointer,
      source: bundle,
      errno,
      cause: error,
    });
  }
  throw new TsrunError('config', `the rootfs ${path} is not a directory`, { pointer, source: bundle });
}
