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
  const find = process.geteuid?.() === 0 && !inUserNamespace() ? ofRoot : executable;
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

/** The program without links on the way, when only root could have put it there: it and all folders above it. */
function ofRoot(path: string): string | undefined {
  if (!isExecutable(path)) return undefined;
  try {
    const real = realpathSync(path);
    return isOfRoot(real, 0) && foldersAbove(real).every((folder) => isOfRoot(folder, stickyBit))
      ? real
      : undefined;
  } catch {
    // It has just gone.
    return undefined;
  }
}

/** In a folder with it nobody moves what belongs to somebody else. */
const stickyBit = 0o1000;

/** `unless`: a bit of the mode with which others may write it. */
function isOfRoot(file: string, unless: number): boolean {
  const { uid, mode } = statSync(file);
  return uid === 0 && ((mode & 0o022) === 0 || (mode & unless) !== 0);
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersAbove(folder)];
}
