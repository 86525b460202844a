import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TsrunError, fileError } from '../core/error.ts';
import { makeFolders } from '../host/folders.ts';
import { inUserNamespace } from '../host/own-process.ts';
import { withRoot } from './folder.ts';

export interface RootRequest {
  /** `--root`. */
  root?: string | undefined;
  /** `--rootless`: 'true', 'false' or 'auto' (also when absent). */
  rootless?: string | undefined;
  /** Effective uid. */
  uid: number;
  env: Readonly<Record<string, string | undefined>>;
}

/** The folder in which every container has one of its own, and whether it is the default one. */
export interface StateRoot {
  path: string;
  /** Lies in $XDG_RUNTIME_DIR, which is cleaned of files that look old. */
  inRuntimeDir: boolean;
}

/**
 * Where containers are kept: `--root`, else /run/tsrun for root and $XDG_RUNTIME_DIR/tsrun for everybody else.
 * Root of a user namespace counts as somebody else unless it logged in as root ($USER). Makes nothing.
 */
export function stateRoot(request: RootRequest): StateRoot {
  if (request.root !== undefined && request.root !== '') {
    const path = resolve(request.root);
    if (path === '/') throw new TsrunError('usage', 'the --root folder must not be /');
    if (path.includes('\0')) throw new TsrunError('usage', 'the --root folder must not contain a NUL');
    return { path, inRuntimeDir: false };
  }
  const runtimeDir = request.env['XDG_RUNTIME_DIR'];
  if (runtimeDir?.startsWith('/') === true && actsForUser(request)) {
    return { path: join(resolve(runtimeDir), 'tsrun'), inRuntimeDir: true };
  }
  if (request.uid !== 0) {
    const why = runtimeDir === undefined || runtimeDir === '' ? 'is not set' : 'is not an absolute path';
    throw new TsrunError('usage', `no folder to keep containers in: XDG_RUNTIME_DIR ${why}`, {
      hint: `log in through a session manager, set XDG_RUNTIME_DIR to a folder of your own, or give --root DIR`,
    });
  }
  return { path: '/run/tsrun', inRuntimeDir: false };
}

function actsForUser(request: RootRequest): boolean {
  if (request.rootless === 'true' || request.uid !== 0) return true;
  if (request.rootless === 'false') return false;
  return request.env['USER'] !== 'root' && inUserNamespace();
}

/** Makes the folder, for its owner only; one that exists stays as it is, and must be one that can be trusted. */
export function makeStateRoot(root: StateRoot): void {
  try {
    makeFolders(root.path, 0o700);
    withRoot(root.path, '', (inside) => {
      // The sticky bit tells the cleaner of $XDG_RUNTIME_DIR to keep it (XDG Base Directory Specification).
      if (root.inRuntimeDir) chmodSync(`${inside}/.`, 0o1700);
    });
  } catch (error) {
    if (error instanceof TsrunError) throw error;
    throw fileError(`make the folder for containers ${root.path}`, error, {
      hint: '--root DIR names another one',
    });
  }
}
