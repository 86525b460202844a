import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupsNamed } from '../harness/cgroups.ts';
import { type Result, run } from '../harness/run.ts';
import type { Stage } from './stage.ts';
import type { Suite } from './suite.ts';

/** The longest test takes some 15 seconds on an idle machine: many poll once a second. */
const timeout = 120_000;

/** The names of the cgroups the suite makes itself, or asks for in cgroupsPath. */
const cgroupNames = ['cgrouptest', 'testdir'];

export interface Performance {
  result: Result;
  seconds: number;
  /** What the test left behind, and was cleaned up. */
  left: string[];
  calls: string;
}

/**
 * Runs one test to its end, in a mount namespace of its own: with linux_ns_itype the mounts of a container
 * land in the caller's namespace.
 */
export async function perform(suite: Suite, stage: Stage, test: string): Promise<Performance> {
  writeFileSync(stage.calls, '');
  const cgroupsBefore = new Set(testCgroups([]));
  const start = performance.now();
  const result = await run('unshare', ['--mount', '--propagation', 'private', join(suite.folder, test)], {
    cwd: stage.cwd,
    env: { RUNTIME: stage.runtime, TMPDIR: stage.bundles },
    timeout,
  });
  const seconds = (performance.now() - start) / 1000;
  const calls = readFileSync(stage.calls, 'utf8');
  const left = [
    ...(await deleteContainers(stage, createdIds(calls))),
    ...removeCgroups(testCgroups(createdIds(calls)).filter((path) => !cgroupsBefore.has(path))),
  ];
  for (const name of readdirSync(stage.bundles)) rmSync(join(stage.bundles, name), { recursive: true });
  return { result, seconds, left, calls };
}

async function deleteContainers(stage: Stage, created: readonly string[]): Promise<string[]> {
  const ids = [...new Set(created)].filter((id) => existsSync(join(stage.stateRoot, id)));
  for (const id of ids) await run(stage.runtime, ['delete', '--force', id]);
  return ids.map((id) => `container ${id}`);
}

/** The id is the last argument of create, unless the test leaves it out to see create fail. */
function createdIds(calls: string): string[] {
  return calls
    .split('\n')
    .filter((call) => call.startsWith('create '))
    .map((call) => call.split(' ').at(-1) ?? '')
    .filter((id) => id !== '' && !id.includes('/'));
}

function testCgroups(ids: readonly string[]): string[] {
  return [
    ...ids.flatMap((id) => cgroupsNamed(id)),
    ...cgroupNames
      .flatMap((name) => cgroupsNamed(name))
      .filter((path) => path.split('/').some((part) => cgroupNames.includes(part))),
  ];
}

/** Removes cgroups, the deepest first. The parents of a cgroupsPath stay behind with every runtime. */
function removeCgroups(paths: readonly string[]): string[] {
  const deepestFirst = [...new Set(paths)].sort((a, b) => b.length - a.length);
  return deepestFirst.map((path) => {
    try {
      rmdirSync(path);
      return `cgroup ${path}`;
    } catch (error) {
      return `cgroup ${path}, which cannot be removed: ${String(error)}`;
    }
  });
}
