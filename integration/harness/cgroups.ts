import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every cgroup directory of every hierarchy whose name, or whose parent's, has `part` in it. */
export function cgroupsNamed(part: string): string[] {
  return hierarchies().flatMap((mountpoint) => search(mountpoint, part));
}

/** Removes empty cgroups by name in every hierarchy, the deepest first. What is in use stays. */
export function removeCgroups(part: string): void {
  for (const path of cgroupsNamed(part).sort((a, b) => b.length - a.length)) {
    try {
      rmdirSync(path);
    } catch {
      // In use: whoever looks for leaks will say so.
    }
  }
}

/** Mount points of all cgroup hierarchies, v1 and v2. */
export function hierarchies(): string[] {
  return cgroupMounts().map(({ mountpoint }) => mountpoint);
}

/** Where a v1 controller is mounted; undefined when this machine has it not. */
export function controllerMount(controller: string): string | undefined {
  return cgroupMounts().find((mount) => mount.type === 'cgroup' && mount.options.includes(controller))
    ?.mountpoint;
}

/** Where cgroup v2 is mounted, be it beside v1; undefined when it is not. */
export function unifiedMount(): string | undefined {
  return cgroupMounts().find(({ type }) => type === 'cgroup2')?.mountpoint;
}

/** Path of a process in a v1 hierarchy, or in v2 for ''; from the root of the hierarchy (cgroups(7)). */
export function cgroupOf(pid: number | 'self', controller: string): string | undefined {
  for (const line of readFileSync(`/proc/${pid}/cgroup`, 'utf8').trimEnd().split('\n')) {
    const [, controllers = '', ...path] = line.split(':');
    if (controllers.split(',').includes(controller)) return path.join(':');
  }
  return undefined;
}

/** The lines of /proc/<pid>/cgroup, without those of hierarchies that are mounted for somebody else only. */
export function membership(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trimEnd().split('\n');
  return lines.filter((line) => {
    const [, controllers = ''] = line.split(':');
    if (controllers === '') return unifiedMount() !== undefined;
    return controllers.split(',').every((controller) => controllerMount(controller) !== undefined);
  });
}

interface CgroupMount {
  mountpoint: string;
  type: string;
  options: string[];
}

function cgroupMounts(): CgroupMount[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, mountpoint = '', type = '', options = '']) => ({
      mountpoint,
      type,
      options: options.split(','),
    }));
}

function search(folder: string, part: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
  return entries.flatMap((name) => {
    const path = join(folder, name);
    return name.includes(part) ? [path, ...search(path, '')] : search(path, part);
  });
}
