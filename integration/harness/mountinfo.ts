/** One line of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  destination: string;
  /** Root of the mount within its filesystem. */
  root: string;
  /** Options of this mount: `ro`, `nosuid`, `noatime` … */
  options: string[];
  /** `shared:N`, `master:N`, `unbindable`; empty for a private mount. */
  propagation: string[];
  type: string;
  source: string;
  /** Options of the filesystem. */
  superOptions: string[];
}

export function parseMountinfo(text: string): MountInfo[] {
  return text
    .split('\n')
    .filter((line) => line.includes(' - '))
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const [, , , root = '', destination = '', options = '', ...propagation] = left.trim().split(' ');
      const [type = '', source = '', superOptions = ''] = right.split(' ');
      return {
        destination: unescape(destination),
        root: unescape(root),
        options: options.split(','),
        propagation,
        type,
        source: unescape(source),
        superOptions: superOptions.split(','),
      };
    });
}

/** The mount at a path: the last one, which is on top. */
export function mountAt(mounts: readonly MountInfo[], destination: string): MountInfo {
  const found = mounts.filter((mount) => mount.destination === destination).at(-1);
  if (found === undefined) throw new Error(`nothing is mounted on ${destination}`);
  return found;
}

function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
