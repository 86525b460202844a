import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { TsrunError, fileError } from '../core/error.ts';
import { type FileStatus, isOwnOrRoot, whyNotOwn, whyReplaceable } from '../host/file-ownership.ts';

/** The folder of one container: `<root>/<id>/`. The id is a plain file name. */
export interface ContainerFolder {
  id: string;
  path: string;
}

/** Names the folder of a container; `id` must have passed checkContainerId(). */
export function containerFolder(root: string, id: string): ContainerFolder {
  return { id, path: join(root, id) };
}

const asDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK;

/**
 * Opens the folder and calls `use` with a path through its descriptor, which stays valid when the folder is renamed.
 * The files in it decide which process is killed, which directory removed and which program run.
 *
 * @throws TsrunError 'not-found' without the folder; 'untrusted' when others could write it or the state root
 */
export function withFolder<T>(folder: ContainerFolder, use: (inside: string) => T): T {
  const fd = withRoot(dirname(folder.path), folder.id, (root) => openFolder(root, folder));
  try {
    return use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens the state root and calls `use` with a path through its descriptor.
 *
 * @param id the container that the error names when the state root does not exist
 * @throws TsrunError 'not-found' without the state root; 'untrusted' when others could write it
 */
export function withRoot<T>(path: string, id: string, use: (inside: string) => T): T {
  const fd = openRoot(path, id);
  try {
    return use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** `dev:ino` of the folder. */
export function folderIdentity(folder: ContainerFolder): string {
  return withFolder(folder, (inside) => {
    const { dev, ino } = lstatSync(`${inside}/.`, { bigint: true });
    return `${dev}:${ino}`;
  });
}

function openRoot(path: string, id: string): number {
  let fd: number;
  let linkOwner: number | undefined;
  try {
    const link = lstatSync(path);
    if (link.isSymbolicLink()) linkOwner = link.uid;
    fd = openSync(path, asDirectory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) throw notFound(id);
    throw fileError(`open the folder for containers ${path}`, error, { hint: otherRoot });
  }
  const why =
    linkOwner === undefined || isOwnOrRoot(linkOwner)
      ? check(fd, path, whyReplaceable)
      : `it is a symbolic link of uid ${linkOwner}`;
  if (why === undefined) return fd;
  closeSync(fd);
  throw new TsrunError('untrusted', `the folder for containers ${path} cannot be trusted: ${why}`, {
    hint: `it must be yours or root's, and others must not write it; ${otherRoot}`,
  });
}

const otherRoot = '--root DIR names another one';

function openFolder(root: string, folder: ContainerFolder): number {
  let fd: number;
  try {
    fd = openSync(join(root, folder.id), asDirectory | constants.O_NOFOLLOW);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENAMETOOLONG')) throw notFound(folder.id);
    if (hasErrno(error, 'ENOTDIR', 'ELOOP')) throw untrusted(folder, 'it is not a directory');
    throw fileError(`open the folder of the container ${folder.path}`, error);
  }
  const why = check(fd, folder.path, (stat) => whyNotOwn(stat, 'directory'));
  if (why === undefined) return fd;
  closeSync(fd);
  throw untrusted(folder, why);
}

function check(fd: number, path: string, why: (stat: FileStatus) => string | undefined): string | undefined {
  try {
    return why(fstatSync(fd));
  } catch (error) {
    closeSync(fd);
    throw fileError(`look at ${path}`, error);
  }
}

/** The error for a container that does not exist. */
export function notFound(id: string): TsrunError {
  return new TsrunError('not-found', `container ${JSON.stringify(id)} does not exist`);
}

/** The error for something at the folder's path that tsrun has not made. */
export function untrusted({ id, path }: ContainerFolder, why: string): TsrunError {
  return new TsrunError('untrusted', `${path} is not the folder of container ${JSON.stringify(id)}: ${why}`, {
    hint: 'tsrun did not make it and leaves it alone: remove it by hand, or use another id',
  });
}
