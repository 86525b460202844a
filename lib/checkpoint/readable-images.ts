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
import { errnoOf } from '../core/error.ts';
import { hasNamespace } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';

/** Images that everybody may read who has a descriptor of their folder, and nobody else. */
export interface ReadableImages {
  folder: string;
  /** The images themselves stay. */
  remove: () => void;
}

/**
 * In a user namespace criu opens images partly before it is root there and partly as that root, who may be anybody
 * on the host, so it has no right to a folder of root's. This makes one below it that everybody may search, with
 * links to the images, and with copies of those that are not for everybody; the folder around it keeps others out.
 *
 * Undefined when it is not needed, or cannot be made; the link `parent` to earlier images would lead somewhere else.
 */
export function makeReadable(images: string, { linux }: Config): ReadableImages | undefined {
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
      provide(join(images, name), join(folder, name));
    }
    return { folder, remove };
  } catch (error) {
    remove();
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

function provide(image: string, path: string): void {
  if ((statSync(image).mode & constants.S_IROTH) !== 0) {
    linkSync(image, path);
    return;
  }
  copyFileSync(image, path, constants.COPYFILE_FICLONE);
  chmodSync(path, 0o644);
}
