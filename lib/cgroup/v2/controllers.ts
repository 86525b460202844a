import { posix } from 'node:path';
import { covers } from '../../core/paths.ts';
import { errnoOrRethrow } from '../../core/errno.ts';
import { fileError } from '../../core/error.ts';
import { readValue, writeValue } from '../files.ts';

/** The controllers that are enabled for a v2 cgroup. */
export function controllersOf(directory: string): string[] {
  const path = `${directory}/cgroup.controllers`;
  try {
    const text = readValue(path);
    return text === '' ? [] : text.split(' ');
  } catch (error) {
    throw fileError(`read ${path}`, error);
  }
}

/**
 * Gives `directory` every controller the hierarchy has: enables them in each ancestor from `mountpoint` down. An
 * ancestor may refuse one, since it has processes itself or belongs to somebody else. That is no error before a limit
 * needs the controller.
 */
export function enableControllers(mountpoint: string, directory: string): void {
  const wanted = controllersOf(mountpoint);
  const present = new Set(controllersOf(directory));
  if (wanted.every((name) => present.has(name))) return;
  for (const ancestor of ancestors(mountpoint, posix.dirname(directory))) {
    // The kernel enables all controllers of one write or none.
    if (!enable(ancestor, wanted)) for (const name of wanted) enable(ancestor, [name]);
  }
}

/** From `top` down to `directory`, both included. */
function ancestors(top: string, directory: string): string[] {
  const found = [directory];
  for (let path = directory; path !== top && covers(top, path); found.unshift(path)) {
    path = posix.dirname(path);
  }
  return found;
}

function enable(directory: string, names: readonly string[]): boolean {
  try {
    writeValue(`${directory}/cgroup.subtree_control`, names.map((name) => `+${name}`).join(' '));
    return true;
  } catch (error) {
    errnoOrRethrow(error);
    return false;
  }
}
