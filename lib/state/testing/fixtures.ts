import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerRecord } from '../record.ts';
import type { StateRoot } from '../state-root.ts';
import { containerFolder } from '../folder.ts';
import { makeFolder, writeRecord } from '../store.ts';
import type { ContainerFolder } from '../folder.ts';

/** A record of a container whose processes have ended. Pid 1 started at another time. */
export function recordOf(id: string, changes: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    version: 1,
    ociVersion: '1.3.0',
    id,
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    created: '2026-11-21T03:04:05.123456789Z',
    owner: 0,
    phase: 'created',
    runtime: { pid: 1, startTime: 1 },
    init: { pid: 1, startTime: 1 },
    initImage: '1:2',
    ownsCgroup: false,
    ownPids: true,
    ...changes,
  };
}

/** Makes a state root for each test of the suite that calls this, and removes it after the test. */
export function temporaryRoot(): () => StateRoot {
  let path = '';
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'tsrun-root-'));
  });
  afterEach(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return () => ({ path, inRuntimeDir: false });
}

/** Makes a container that has a folder and a record only. */
export function storedContainer(
  root: StateRoot,
  id: string,
  changes: Partial<ContainerRecord> = {},
): ContainerFolder {
  const folder = containerFolder(root.path, id);
  makeFolder(folder);
  writeRecord(folder, recordOf(id, changes));
  return folder;
}
