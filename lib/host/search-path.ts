import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { inUserNamespace } from './privileges.ts';

/** The folders in which programs of the host are searched: $PATH, or what most systems have. */
export function searchPath(): string {
  return process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
}

/**
 * The first program of this name in $PATH, absolute; relative folders of $PATH are ignored. Root of the host may have the
 * PATH of another user: as root, only a program that nobody but root can write or replace is found.
 */
export function findProgram(name: string): string | undefined {
  const find = process.geteuid?.() === 0 && !inUserNamespace() ? rootsExecutable : executable;
  for (const folder of searchPath().split(delimiter)) {
    const program = folder.startsWith('/') ? find(join(folder, name)) : undefined;
    if (program !== undefined) return program;
  }
  return undefined;
}

function executable(path: string): string | undefined {
  return isExecutable(path) ? path : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program's real path, when nobody but root can write it or replace it in any of the folders above it. */
function rootsExecutable(path: string): string | undefined {
  if (!isExecutable(path)) return undefined;
  try {
    const real = realpathSync(path);
    return isRoots(real, 0) && foldersAbove(real).every((folder) => isRoots(folder, stickyBit))
      ? real
      : undefined;
  } catch {
    // It was removed meanwhile.
    return undefined;
  }
}

/** In a folder with it nobody can rename the files of others. */
const stickyBit = 0o1000;

/** True when the file is root's and nobody else may write it, unless it has the mode bit `unless`. */
function isRoots(file: string, unless: number): boolean {
  const { uid, mode } = statSync(file);
  return uid === 0 && ((mode & 0o022) === 0 || (mode & unless) !== 0);
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersAbove(folder)];
}
