import { TsrunError } from '../core/error.ts';
import type { ContainerFolder } from './folder.ts';
import { lockContainer } from './lock.ts';
import type { Lock } from './lock.ts';
import { isTaken, makeFolder, removeEmptyFolder } from './store.ts';

/**
 * Claims an id: makes its folder and takes the lock. Whoever holds the lock of a folder without a record owns
 * the id, so a folder left by a tsrun that was killed before its first record is in nobody's way. Throws 'id'
 * with runc's words when the id is taken.
 */
export function claimFolder(folder: ContainerFolder): Lock {
  for (;;) {
    const made = makeFolder(folder);
    let lock: Lock | undefined;
    try {
      lock = lockContainer(folder, { wait: false });
      if (lock !== undefined && !isTaken(folder)) return lock;
    } catch (error) {
      lock?.abandon();
      // A delete that was on its way when we found the folder has finished.
      if (error instanceof TsrunError && error.code === 'not-found') continue;
      if (made) removeEmptyFolder(folder);
      throw error;
    }
    lock?.release();
    throw new TsrunError('id', `container with given ID already exists: ${folder.id}`, {
      hint: 'delete that one first, or take another id',
    });
  }
}
