import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controllerMount } from './cgroups.ts';
import { until } from './until.ts';

/**
 * Mounts the v1 controllers of these that the kernel has and nobody uses, each in a hierarchy of its own, and returns
 * what unmounts them. Does nothing where v1 is not in use: v2 may want them. The mounts are in the mount namespace of
 * the tests.
 */
export function borrowControllers(names: readonly string[]): () => Promise<void> {
  if (controllerMount('memory') === undefined) return () => Promise.resolve();
  const parent = mkdtempSync(join(tmpdir(), 'cgroup-'));
  const borrowed = names.filter((name) => isUnused(statusOf(name)));
  for (const name of borrowed) {
    mkdirSync(join(parent, name));
    execFileSync('mount', ['-t', 'cgroup', '-o', name, 'cgroup', join(parent, name)]);
  }
  return async () => {
    for (const name of borrowed) {
      const folder = join(parent, name);
      // Removed cgroups live on for a moment, and with one of them the hierarchy outlives its mount.
      await until(`the last cgroup of ${name} to go`, () => statusOf(name)?.cgroups === 1);
      execFileSync('umount', [folder]);
      rmdirSync(folder);
      // That takes a moment, too, and until then it is among the cgroups of every process.
      await until(`the hierarchy of ${name} to go`, () => isUnused(statusOf(name)));
    }
    rmdirSync(parent);
  };
}

interface Status {
  hierarchy: number;
  cgroups: number;
  enabled: boolean;
}

/** A controller as /proc/cgroups has it (cgroups(7)). */
function statusOf(name: string): Status | undefined {
  const lines = readFileSync('/proc/cgroups', 'utf8').split('\n');
  const fields = lines.map((line) => line.split('\t')).find(([controller]) => controller === name);
  if (fields === undefined) return undefined;
  const [hierarchy = NaN, cgroups = NaN, enabled] = fields.slice(1).map(Number);
  return { hierarchy, cgroups, enabled: enabled === 1 };
}

/** Hierarchy 0 is v2's, or nobody's. */
function isUnused(status: Status | undefined): boolean {
  return status?.enabled === true && status.hierarchy === 0;
}
