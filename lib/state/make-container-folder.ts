import { TsrunError } from '../core/error.ts';
import type { Undo } from '../core/undo.ts';
import { containerFolder, type ContainerFolder } from './folder.ts';
import { type Lock, lockContainer } from './lock.ts';
import { makeStateRoot, type StateRoot } from './state-root.ts';
import { containerExists, makeFolder, removeEmptyFolder, removeFolder } from './store.ts';

/**
 * Makes the folder of a new container and takes its lock, as lockNewContainer() does. In the end the lock is released;
 * when something fails the folder is removed.
 */
export function makeContainerFolder(root: StateRoot, id: string, undo: Undo): ContainerFolder {
  makeStateRoot(root);
  const folder = containerFolder(root.path, id);
  const lock = lockNewContainer(folder);
  undo.always('release its lock', () => {
    lock.release();
  });
  undo.onFailureIfUndone('remove its folder', () => {
    removeFolder(folder);
  });
  return folder;
}

/**
 * Makes the folder of a new container and takes its lock. The holder of the lock of a folder without a record owns
 * the id. A folder that a killed `create` has left before its first record is taken over.
 *
 * @throws TsrunError 'id' with runc's words when there is a container with this id
 */
export function lockNewContainer(folder: ContainerFolder): Lock {
  for (;;) {
    const made = makeFolder(folder);
    let lock: Lock | undefined;
    try {
      lock = lockContainer(folder, { wait: false });
      if (lock !== undefined && !containerExists(folder)) return lock;
    } catch (error) {
      lock?.abandon();
      // A `delete` removed the folder after makeFolder() had found it.
      if (error instanceof TsrunError && error.code === 'not-found') continue;
      if (made) removeEmptyFolder(folder);
      throw error;
    }
    lock?.release();
    throw new TsrunError('id', `container with given ID already exists: ${folder.id}`, {
      hint: 'delete that container first, or use another id',
    });
  }
}
