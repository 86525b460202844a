import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TsrunError, fileError } from '../core/error.ts';
import { makeFolders } from '../host/filesystem.ts';
import { inUserNamespace } from '../host/privileges.ts';
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

/** The folder that holds the containers' folders. */
export interface StateRoot {
  path: string;
  /** It lies in $XDG_RUNTIME_DIR, where cleaners remove old files. */
  inRuntimeDir: boolean;
}

/**
 * Decides where containers are kept: `--root`, else /run/tsrun for root and $XDG_RUNTIME_DIR/tsrun for other users.
 * Root of a user namespace counts as another user, unless $USER is root. Makes nothing.
 *
 * @throws TsrunError 'usage' when there is no such folder
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

/**
 * Makes the state root, with mode 0700. One that exists keeps its mode.
 *
 * @throws TsrunError 'untrusted' when others could write it; 'system'
 */
export function makeStateRoot(root: StateRoot): void {
  try {
    makeFolders(root.path, 0o700);
    withRoot(root.path, '', (inside) => {
      // The sticky bit tells cleaners of $XDG_RUNTIME_DIR to keep the folder (XDG Base Directory Specification).
      if (root.inRuntimeDir) chmodSync(`${inside}/.`, 0o1700);
    });
  } catch (error) {
    if (error instanceof TsrunError) throw error;
    throw fileError(`make the folder for containers ${root.path}`, error, {
      hint: '--root DIR names another one',
    });
  }
}
