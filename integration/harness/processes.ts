import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { reap } from './native.ts';
import { until } from './until.ts';

export interface ProcessInfo {
  pid: number;
  parent: number;
  state: string;
  name: string;
}

/** Every process of this machine that we can see, threads left out. */
export function allProcesses(): ProcessInfo[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processInfo(Number(name)))
    .filter((info) => info !== undefined);
}

/** proc_pid_stat(5) of a process; undefined when there is none. */
export function processInfo(pid: number): ProcessInfo | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const close = stat.lastIndexOf(')');
  const [state, parent] = stat.slice(close + 2).split(' ');
  return { pid, parent: Number(parent), state: state ?? '?', name: stat.slice(stat.indexOf('(') + 1, close) };
}

/** The arguments a process was started with; none when it is gone. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** The processes below this one. */
export function descendants(of: number = process.pid): ProcessInfo[] {
  const children = new Map<number, ProcessInfo[]>();
  for (const info of allProcesses()) children.set(info.parent, [...(children.get(info.parent) ?? []), info]);
  const found: ProcessInfo[] = [];
  const queue = [of];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
}

/** True while the process runs; a zombie has ended. */
export function isAlive(pid: number): boolean {
  const info = processInfo(pid);
  return info !== undefined && info.state !== 'Z' && info.state !== 'X';
}

/** Waits for the end of a container's process, an orphan of ours, and returns its exit status. */
export async function exitStatus(pid: number): Promise<number> {
  return await until(`the end of process ${pid}`, () => reap(pid));
}

/** Takes note of the end of all orphans that were left to us. */
export function reapOrphans(): void {
  for (const { pid, parent, state } of allProcesses()) {
    if (parent === process.pid && state === 'Z') reap(pid);
  }
}

/** One line of /proc/<pid>/status, without its name: `statusField(pid, 'CapEff')`. */
export function statusField(pid: number, name: string): string {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
  return line.slice(name.length + 1).trim();
}

/** The identity of a namespace: `namespaceOf(pid, 'mnt')` → `mnt:[4026531841]`. */
export function namespaceOf(pid: number | 'self', name: string): string {
  return readlinkSync(`/proc/${pid}/ns/${name}`);
}

/** True for what the tests' own tool chain runs beside them (esbuild's service of tsx). */
export function isOurTool(info: ProcessInfo): boolean {
  return info.name === 'esbuild';
}
