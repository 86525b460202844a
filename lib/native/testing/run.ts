import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reap, waitPidfd } from '../pidfd.ts';
import { spawn, type SpawnRequest } from '../spawn.ts';

export interface Outcome {
  status: number | undefined;
  stdout: string;
}

/** Spawns `sh -c script`, or what `request` says instead, to its end, with its output in a file. */
export function runShell(script: string, request: Partial<SpawnRequest> = {}): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-test-'));
  const file = join(folder, 'stdout');
  const output = openSync(file, 'w');
  const input = openSync('/dev/null', 'r');
  try {
    const { pidfd } = spawn({
      executable: '/bin/sh',
      args: ['sh', '-c', script],
      env: ['PATH=/usr/bin:/bin'],
      restoreLimits: false,
      ...request,
      fds: [input, output, 2, ...(request.fds ?? [])],
    });
    waitPidfd(pidfd, -1);
    const status = reap(pidfd);
    closeSync(pidfd);
    return { status, stdout: readFileSync(file, 'utf8') };
  } finally {
    closeSync(input);
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
}

/** How many descriptors this process has open. */
export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
