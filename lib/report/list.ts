import { readFileSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { findContainer } from '../state/find-container.ts';
import type { StateRoot } from '../state/state-root.ts';
import type { ContainerState } from './state.ts';
import { describe } from './state.ts';
import { listIds } from '../state/store.ts';

export interface Listing {
  containers: ContainerState[];
  /** What is wrong with the folders that are left out. */
  broken: TsrunError[];
}

/** All containers, by id. A broken folder hides no other container. */
export function listContainers(root: StateRoot): Listing {
  const containers: ContainerState[] = [];
  const broken: TsrunError[] = [];
  const nameOf = userNames();
  for (const id of listIds(root.path)) {
    try {
      const { record, status } = findContainer(root, id);
      containers.push(describe(record, status, nameOf(record.owner)));
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      // Deleted since the folder was listed.
      if (error.code === 'not-found') continue;
      broken.push(error);
    }
  }
  return { containers, broken };
}

/** Ids of all containers, also of those that cannot be read; for completion. */
export function listContainerIds(root: StateRoot): string[] {
  return listIds(root.path);
}

/** Names of users by uid from /etc/passwd, read once and only if asked; `#1000` for one it does not know. */
function userNames(): (uid: number) => string {
  let names: Map<number, string> | undefined;
  return (uid) => {
    if (uid === 0) return 'root';
    names ??= parsePasswd(readPasswd());
    return names.get(uid) ?? `#${uid}`;
  };
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}

function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name !== '' && /^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}
