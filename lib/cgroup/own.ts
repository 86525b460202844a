/**
 * Reads the text of /proc/<pid>/cgroup (cgroups(7)): the path of the process's cgroup in each hierarchy,
 * by controller. A named hierarchy is `name=systemd`, cgroup v2 is ''.
 */
export function parseOwnCgroups(text: string): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of text.split('\n')) {
    // The path itself may hold colons.
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    const [, controllers = '', path = ''] = match;
    for (const controller of controllers.split(',')) own.set(controller, path);
  }
  return own;
}
