import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controllerMount } from './cgroups.ts';

/**
 * Mounts the v1 controllers of these that the kernel has and nobody uses, each in a hierarchy of its own, and returns
 * what unmounts them. Does nothing where v1 is not in use: v2 may want them. The mounts are in the mount namespace of
 * the tests.
 */
export function borrowControllers(names: readonly string[]): () => void {
  if (controllerMount('memory') === undefined) return () => undefined;
  const parent = mkdtempSync(join(tmpdir(), 'cgroup-'));
  const folders = names.filter(isUnused).map((name) => {
    const folder = join(parent, name);
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'cgroup', '-o', name, 'cgroup', folder]);
    return folder;
  });
  return () => {
    for (const folder of folders) {
      execFileSync('umount', [folder]);
      rmdirSync(folder);
    }
    rmdirSync(parent);
  };
}

/** Hierarchy 0 is v2's, or nobody's (cgroups(7), /proc/cgroups). */
function isUnused(name: string): boolean {
  const line = readFileSync('/proc/cgroups', 'utf8')
    .split('\n')
    .map((text) => text.split('\t'))
    .find(([controller]) => controller === name);
  return line?.[1] === '0' && line[3] === '1';
}
