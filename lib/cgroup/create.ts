import { mkdirSync, rmdirSync } from 'node:fs';
import { posix } from 'node:path';
import { systemError } from '../core/error.ts';
import { errnoOf, failedWith } from './files.ts';
import { doWithout } from './cgroups-path.ts';

/** Directories made so far, to remove them again when a later one cannot be made. */
export class Directories {
  private readonly made: string[] = [];

  /** mkdir -p; false when the directory was there before. Throws with a hint about permissions. */
  make(directory: string): boolean {
    try {
      return this.makeOne(directory);
    } catch (error) {
      const denied = failedWith(error, 'EACCES', 'EPERM', 'EROFS');
      throw systemError(`create cgroup ${directory}`, errnoOf(error), {
        pointer: '/linux/cgroupsPath',
        ...(denied ? { hint: `tsrun must be root, or be given a cgroup it may write to. ${doWithout}` } : {}),
        cause: error,
      });
    }
  }

  /** Removes what was made, last first. What is in use by now stays. */
  undo(): void {
    for (const directory of this.made.reverse()) {
      try {
        rmdirSync(directory);
      } catch (error) {
        errnoOf(error);
      }
    }
  }

  private makeOne(directory: string): boolean {
    try {
      mkdirSync(directory, 0o755);
    } catch (error) {
      if (failedWith(error, 'EEXIST')) return false;
      if (!failedWith(error, 'ENOENT')) throw error;
      this.makeOne(posix.dirname(directory));
      return this.makeOne(directory);
    }
    this.made.push(directory);
    return true;
  }
}
