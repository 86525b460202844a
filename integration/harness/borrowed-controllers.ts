import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controllerMount } from './cgroups.ts';
import { until } from './until.ts';

/**
 * Mounts the v1 controllers of these that the kernel has and nobody uses, each in a hierarchy of its own, and returns
 * what unmounts them. Does nothing where v1 is not in use: v2 may want them. The mounts are in the mount namespace of
 * the tests. A controller that the kernel does not let go (cgroups of v2 may have it by now, and /proc/cgroups does not
 * tell) is left, and the tests that need it are skipped.
 */
export function borrowControllers(names: readonly string[]): () => Promise<void> {
  if (controllerMount('memory') === undefined) return () => Promise.resolve();
  const parent = mkdtempSync(join(tmpdir(), 'cgroup-'));
  const unused = names.filter((name) => isUnused(statusOf(name)));
  const borrowed = unused.filter((name) => mountController(name, join(parent, name)));
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

/** False when it is in use none the less. */
function mountController(name: string, folder: string): boolean {
  mkdirSync(folder);
  const { status, stderr } = spawnSync('mount', ['-t', 'cgroup', '-o', name, 'cgroup', folder], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status === 0) return true;
  rmdirSync(folder);
  // EBUSY in the words of mount(8), of which there are several.
  if (/busy|already mounted/.test(stderr)) return false;
  throw new Error(stderr);
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
