import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupOf, controllerMount } from './cgroups.ts';

/** The directory of a process in a v1 hierarchy. */
export function cgroupFolder(pid: number, controller: string): string {
  const mount = controllerMount(controller);
  const path = cgroupOf(pid, controller);
  if (mount === undefined || path === undefined) throw new Error(`no cgroup of ${controller}`);
  return join(mount, path);
}

/** A file of the cgroup of a process, which is called after its controller: `cgroupFile(pid, 'cpu.shares')`. */
export function cgroupFile(pid: number, file: string): string {
  return readFileSync(join(cgroupFolder(pid, file.split('.')[0] ?? ''), file), 'utf8').trim();
}

/** Skips a test where the kernel has not this controller on v1, or not this file of it. */
export function needs(controller: string, file?: string): () => string | undefined {
  return () => {
    const mount = controllerMount(controller);
    if (mount === undefined) return `no cgroup v1 controller ${controller} here`;
    if (file === undefined) return undefined;
    const probe = join(mount, `tsit-probe-${process.pid}`);
    mkdirSync(probe);
    const found = existsSync(join(probe, file));
    rmdirSync(probe);
    return found ? undefined : `the kernel has no ${file}`;
  };
}
