import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaks, type Snapshot, takeSnapshot } from '../../harness/leaks.ts';
import { reapOrphans } from '../../harness/processes.ts';
import { namePart } from '../../harness/scene.ts';
import { until } from '../../harness/until.ts';

/** What there was before a test of an engine. */
export interface EngineSnapshot {
  host: Snapshot;
  interfaces: Set<string>;
  netns: Set<string>;
}

export function snapshotOfEngine(): EngineSnapshot {
  return {
    host: takeSnapshot(namePart),
    interfaces: new Set(interfaces()),
    netns: new Set(entries('/run/netns')),
  };
}

/**
 * What is left after a test, one line each, once the kernel and the engine had their time to end it. The
 * cgroup that all containers of the engine have as their parent stays as long as the engine.
 */
export async function leftByEngine(
  before: EngineSnapshot,
  parent: string,
  daemons: readonly number[] = [],
): Promise<string[]> {
  let left: string[] = [];
  const look = (): boolean => {
    reapOrphans();
    left = [
      ...leaks(before.host, namePart, []).filter(
        (line) => !isParent(line, parent) && !daemons.some((pid) => line.startsWith(`process: ${pid} `)),
      ),
      ...added('interface', before.interfaces, interfaces()),
      ...added('network namespace', before.netns, entries('/run/netns')),
    ];
    return left.length === 0;
  };
  await until('everything to be gone', look, 5000).catch(() => undefined);
  return left;
}

function isParent(line: string, parent: string): boolean {
  return line.startsWith('cgroup: ') && line.endsWith(`/${parent}`);
}

function added(what: string, before: ReadonlySet<string>, now: readonly string[]): string[] {
  return now.filter((name) => !before.has(name)).map((name) => `${what}: ${name}`);
}

/** Network interfaces of our network namespace. */
function interfaces(): string[] {
  const lines = readFileSync('/proc/self/net/dev', 'utf8').trimEnd().split('\n').slice(2);
  return lines.map((line) => line.slice(0, line.indexOf(':')).trim());
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
