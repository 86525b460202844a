import { posix } from 'node:path';
import { errnoOf, ioError, readValue, writeValue } from '../files.ts';

/** The controllers a v2 cgroup can limit its processes with. */
export function controllersOf(directory: string): string[] {
  const path = `${directory}/cgroup.controllers`;
  try {
    const text = readValue(path);
    return text === '' ? [] : text.split(' ');
  } catch (error) {
    throw ioError(`read ${path}`, error);
  }
}

/**
 * Gives `directory` every controller the hierarchy has, by enabling them in each ancestor from `mountpoint`
 * down. An ancestor that refuses one (it may have processes itself, or belong to somebody else) is no
 * failure: only a limit that needs the controller is.
 */
export function enableControllers(mountpoint: string, directory: string): void {
  const wanted = controllersOf(mountpoint);
  const present = new Set(controllersOf(directory));
  if (wanted.every((name) => present.has(name))) return;
  for (const ancestor of ancestors(mountpoint, posix.dirname(directory))) {
    // One write is all or nothing.
    if (!enable(ancestor, wanted)) for (const name of wanted) enable(ancestor, [name]);
  }
}

/** From `top` down to `directory`, both included. */
function ancestors(top: string, directory: string): string[] {
  const found = [directory];
  for (let path = directory; path !== top && path.startsWith(`${top}/`); found.unshift(path)) {
    path = posix.dirname(path);
  }
  return found;
}

function enable(directory: string, names: readonly string[]): boolean {
  try {
    writeValue(`${directory}/cgroup.subtree_control`, names.map((name) => `+${name}`).join(' '));
    return true;
  } catch (error) {
    errnoOf(error);
    return false;
  }
}
