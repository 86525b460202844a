import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cgroupsNamed } from './cgroups.ts';
import { descendants, isOurTool } from './processes.ts';
import { parseMountinfo } from './mountinfo.ts';
import { reap } from './native.ts';

/** What there was before a test. */
export interface Snapshot {
  processes: Set<number>;
  mounts: Set<string>;
  cgroups: Set<string>;
  files: Set<string>;
}

/** Folders a runtime could leave something in, besides its state root. Ours alone: see scripts/integration.mjs. */
const shared = (process.env['TSRUN_TEST_FOLDERS'] ?? '').split(':').filter((folder) => folder !== '');

export function takeSnapshot(name: string): Snapshot {
  return {
    processes: new Set(descendants().map(({ pid }) => pid)),
    mounts: new Set(mounts('self')),
    cgroups: new Set(cgroupsNamed(name)),
    files: new Set(sharedFiles()),
  };
}

/**
 * What a test has left behind, one line each; empty when nothing. `name` is the part that all names made by
 * the tests have in common.
 */
export function leaks(before: Snapshot, name: string, stateRoots: readonly string[]): string[] {
  return [
    ...leftProcesses(before.processes),
    ...mounts('self')
      .filter((line) => !before.mounts.has(line))
      .map((line) => `mount: ${line}`),
    ...mounts('1')
      .filter((line) => line.includes(name) && !before.mounts.has(line))
      .map((line) => `mount on the host: ${line}`),
    ...cgroupsNamed(name)
      .filter((path) => !before.cgroups.has(path))
      .map((path) => `cgroup: ${path}`),
    ...stateRoots
      .filter(existsSync)
      .flatMap((root) => stateOf(root).map((entry) => `state: ${root}/${entry}`)),
    ...sharedFiles()
      .filter((file) => !before.files.has(file))
      .map((file) => `file: ${file}`),
  ];
}

/** Takes away the mounts a failed test has left, so that its files can go. */
export function removeMounts(before: Snapshot): void {
  for (const line of mounts('self').reverse()) {
    if (before.mounts.has(line)) continue;
    const [mount] = parseMountinfo(line);
    if (mount !== undefined) spawnSync('umount', ['-l', mount.destination]);
  }
}

/** Containers. What begins with an @ is a cache, which outlives them. */
function stateOf(root: string): string[] {
  return readdirSync(root).filter((entry) => !entry.startsWith('@'));
}

function leftProcesses(before: ReadonlySet<number>): string[] {
  return descendants()
    .filter((info) => !before.has(info.pid) && !isOurTool(info))
    .filter((info) => !(info.state === 'Z' && info.parent === process.pid && reap(info.pid) !== undefined))
    .map(({ pid, name, state }) => `process: ${pid} ${name} (${state})`);
}

/** Without the options of cgroup v2, which are the host's: criu drops them when it mounts the filesystem elsewhere. */
function mounts(pid: string): string[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.replace(/( - cgroup2 \S+ r[ow]),\S*$/, '$1'));
}

function sharedFiles(): string[] {
  return shared.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => !name.startsWith('tsx-'))
      .map((name) => `${folder}/${name}`),
  );
}
