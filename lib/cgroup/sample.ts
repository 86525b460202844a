/** What a cgroup that does not exist yet will have, told by its relatives. */
import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { controllersOf } from './v2/controllers.ts';

/** The directory itself, or its nearest ancestor that exists. */
export function nearestExisting(directory: string): string {
  let path = directory;
  while (path !== '/' && !existsSync(path)) path = posix.dirname(path);
  return path;
}

/**
 * True or false when a cgroup `directory` will have the file or not; undefined when nothing tells. The root of a
 * hierarchy lacks files its children have, so they are asked, too.
 */
export function offersFile(directory: string, file: string, controller: string): boolean | undefined {
  const relative = nearestExisting(directory);
  if (existsSync(`${relative}/${file}`)) return true;
  const isRoot = !existsSync(`${posix.dirname(relative)}/cgroup.procs`);
  const children = childrenOf(relative).filter((child) => has(child, controller));
  if (children.length > 0) return children.some((child) => existsSync(`${child}/${file}`));
  return isRoot || !has(relative, controller) ? undefined : false;
}

function childrenOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${directory}/${entry.name}`);
}

/** On v1 a directory of a hierarchy has all of its controllers. */
function has(directory: string, controller: string): boolean {
  if (!existsSync(`${directory}/cgroup.controllers`)) return true;
  return controller === 'cgroup' || controllersOf(directory).includes(controller);
}
