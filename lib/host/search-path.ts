import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { inUserNamespace } from './own-process.ts';

/** Where programs of the host are looked for: $PATH, or what most systems have. */
export function searchPath(): string {
  return process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
}

/**
 * The first program of this name in $PATH, absolute; never one of the working directory. Root over the host may have
 * the PATH of somebody else, so for him it is one that only root could have put there.
 */
export function findProgram(name: string): string | undefined {
  const isTrusted = process.geteuid?.() === 0 && !inUserNamespace() ? isOfRoot : isExecutable;
  return searchPath()
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isTrusted);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program and its folder belong to root, and nobody else may write them. */
function isOfRoot(path: string): boolean {
  if (!isExecutable(path)) return false;
  const real = realpathSync(path);
  return [real, dirname(real), dirname(path)].every((file) => {
    const { uid, mode } = statSync(file);
    return uid === 0 && (mode & 0o022) === 0;
  });
}
