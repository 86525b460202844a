import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TsrunError } from '../../core/error.ts';
import { readCgroupLayout } from '../../host/cgroup-layout.ts';
import { processCgroups } from '../../host/proc.ts';
import { cgroupManager } from '../cgroup-manager.ts';
import { resolveCgroup } from '../cgroups-path.ts';
import type { CgroupManager } from '../manager.ts';
import { processesBelow, signalAll } from '../processes.ts';
import { type CgroupRecord, controllerDirectory } from '../record.ts';
import { removeTree } from '../remove.ts';

export const layout = readCgroupLayout();

/** Real cgroups of one test, all below one name that no other test or container has. */
export class TestCgroups {
  readonly name: string;
  private static count = 0;
  private readonly children: ChildProcess[] = [];

  constructor() {
    TestCgroups.count += 1;
    this.name = `tsrun-test-${String(process.pid)}-${String(TestCgroups.count)}`;
  }

  /** The record of a container at `path` below this test's name; '' for the name itself. */
  record(path = ''): CgroupRecord {
    return resolveCgroup(layout, {
      cgroupsPath: `/${this.name}${path}`,
      containerId: this.name,
      driver: 'cgroupfs',
      rootless: false,
      ownCgroups: processCgroups('self') ?? [],
    });
  }

  manager(path = ''): CgroupManager {
    return cgroupManager(this.record(path));
  }

  /** A shell that runs `script`; ended with the test. */
  shell(script: string): ChildProcess & { pid: number } {
    const child = spawn('/bin/sh', ['-c', script], { stdio: 'ignore' });
    this.children.push(child);
    const { pid } = child;
    if (pid === undefined) throw new Error('no shell');
    return Object.assign(child, { pid });
  }

  /** Ends the processes and removes the cgroups, whatever state the test left them in. */
  async cleanUp(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    for (const directory of Object.values(this.record().paths)) {
      for (let tries = 0; !removeTree(directory); tries++) {
        if (tries > 200) throw new Error(`${directory} cannot be removed`);
        signalAll(() => processesBelow(directory), 9);
        await delay(10);
      }
    }
  }
}

/** The directory of a controller; an error when the record has none. */
export function directoryOf(record: CgroupRecord, controller: string): string {
  const directory = controllerDirectory(record, controller);
  if (directory === undefined) throw new Error(`no ${controller} hierarchy here`);
  return directory;
}

/** A file of the container's cgroup, by its name (`memory.limit_in_bytes`), without the last line break. */
export function read(record: CgroupRecord, file: string, controller = file.split('.')[0] ?? ''): string {
  return readFileSync(`${directoryOf(record, controller)}/${file}`, 'utf8').trimEnd();
}

/** Which of the record's directories exist. */
export function present(record: CgroupRecord): string[] {
  return Object.values(record.paths).filter((directory) => existsSync(directory));
}

export function failure(run: () => unknown): TsrunError {
  try {
    run();
  } catch (error) {
    if (error instanceof TsrunError) return error;
    throw error;
  }
  throw new Error('expected a failure');
}

/** Emulated machines are slow. */
const patienceMs = 15_000;

/** Resolves when `condition` holds; fails when it does not for a long time. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    await delay(5);
    if (performance.now() > deadline) throw new Error('it did not become true');
  }
}
