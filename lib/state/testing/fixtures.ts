import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStartTime } from '../../host/proc.ts';
import type { ContainerRecord, ProcessRef } from '../record.ts';
import type { StateRoot } from '../state-root.ts';
import { containerFolder, type ContainerFolder } from '../folder.ts';
import { makeFolder, writeRecord } from '../store.ts';

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

/** Returns a function that starts a process for a container; each is killed after its test. */
export function containerProcesses(): () => Promise<{ init: ProcessRef; ended: Promise<unknown> }> {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  return async () => {
    const child = spawn('sleep', ['100']);
    children.push(child);
    const ended = once(child, 'exit');
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    return { init: { pid, startTime: processStartTime(pid) ?? 0 }, ended };
  };
}

/**
 * Starts another process that holds the lock of a container while it runs a shell script.
 *
 * @param script `waiting` in it waits until somebody waits for the lock
 */
export async function lockElsewhere(folder: ContainerFolder, script: string): Promise<ChildProcess> {
  const lock = join(folder.path, 'lock');
  const waiting = `waiting() { until grep -q -- "-> FLOCK.*:$inode " /proc/locks; do sleep 0.01; done; }`;
  const whole = `inode=$(stat -c %i ${lock}); ${waiting}; echo held; ${script}`;
  const holder = spawn('flock', ['-x', lock, 'sh', '-c', whole], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return holder;
}
