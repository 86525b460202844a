import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOrRethrow } from '../core/errno.ts';
import { hasNamespace } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';

/** Images for criu in a user namespace: a folder that only processes with a descriptor of it can read. */
export interface ReadableImages {
  folder: string;
  /** Removes the folder, not the images. */
  remove: () => void;
}

/**
 * Makes a folder of images that criu can read in a user namespace. criu opens some images as root of the host and some
 * as root of the namespace, which is another uid on the host and may not enter a folder of root's. The new folder, below
 * that of the images, may be searched by everybody; a folder around it keeps others out. It has hard links to the
 * images, and copies of those that not everybody may read.
 *
 * Undefined without a user namespace, when the folder cannot be made, and for images with a `parent`: that link is
 * relative to their folder.
 */
export function makeReadableImages(images: string, { linux }: Config): ReadableImages | undefined {
  if (!hasNamespace(linux, 'user')) return undefined;
  const names = readdirSync(images);
  if (names.includes('parent')) return undefined;
  let around: string | undefined;
  const remove = (): void => {
    if (around !== undefined) rmSync(around, { recursive: true, force: true });
  };
  try {
    around = mkdtempSync(join(images, '.restore-'));
    const folder = join(around, 'images');
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    for (const name of names.filter((file) => file.endsWith('.img'))) {
      linkOrCopy(join(images, name), join(folder, name));
    }
    return { folder, remove };
  } catch (error) {
    remove();
    errnoOrRethrow(error);
    return undefined;
  }
}

function linkOrCopy(image: string, path: string): void {
  if ((statSync(image).mode & constants.S_IROTH) !== 0) {
    linkSync(image, path);
    return;
  }
  copyFileSync(image, path, constants.COPYFILE_FICLONE);
  chmodSync(path, 0o644);
}
