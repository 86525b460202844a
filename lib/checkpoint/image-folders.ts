import { constants, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileError } from '../core/error.ts';
import { closeAll, makeFolders } from '../host/filesystem.ts';
import type { CriuFlags } from './criu-options.ts';
import type { CriuOptions } from './criu/rpc.ts';

/** The folders that criu works in, open until `close`. */
export interface ImageFolders {
  /** Absolute path of the images. */
  images: string;
  /** Absolute path of the folder with criu's log. */
  work: string;
  options: CriuOptions;
  close: () => void;
}

/**
 * Opens the folder of the images and that of the log, which is made if it does not exist.
 *
 * @param make make the folder of the images, too
 * @param instead a folder with the same images that criu opens instead
 * @throws TsrunError 'system' when one of them cannot be made or opened
 */
export function openFolders(
  { imagePath, workPath }: CriuFlags,
  make: boolean,
  instead?: string,
): ImageFolders {
  const images = resolve(imagePath === undefined || imagePath === '' ? 'checkpoint' : imagePath);
  const work = workPath === undefined || workPath === '' ? images : resolve(workPath);
  const fds: number[] = [];
  const close = (): void => {
    closeAll(fds.splice(0));
  };
  const openFolder = (path: string): number => {
    const fd = openDirectory(path);
    fds.push(fd);
    return fd;
  };
  try {
    if (make) makeDirectory(images);
    if (work !== images) makeDirectory(work);
    const options = { images_dir_fd: openFolder(instead ?? images), work_dir_fd: openFolder(work) };
    return { images, work, options, close };
  } catch (error) {
    close();
    throw error;
  }
}

function makeDirectory(path: string): void {
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    throw fileError(`make the folder ${path}`, error);
  }
}

function openDirectory(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError(`open the folder of the images ${path}`, error);
  }
}
