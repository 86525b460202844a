import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerRecord } from '../../state/record.ts';
import type { StateRoot } from '../../state/state-root.ts';
import { containerFolder } from '../../state/folder.ts';
import { makeFolder, writeRecord } from '../../state/store.ts';
import type { ContainerFolder } from '../../state/folder.ts';

/** A record with all it must have: of a container whose processes ended long ago. */
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

/** A state root of its own for each test of the suite that calls this, removed after it. */
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

/** A container that exists only as a record. */
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
