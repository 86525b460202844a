/** One mount of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). */
export interface MountinfoEntry {
  id: number;
  parentId: number;
  /** `major:minor` of files on it. */
  device: string;
  /** The directory of the filesystem that is its root. */
  root: string;
  mountpoint: string;
  /** Options of this mount. */
  options: readonly string[];
  /** `shared:1`, `master:2`, `propagate_from:3`, `unbindable`. */
  propagation: readonly string[];
  type: string;
  source: string;
  /** Options of the filesystem. */
  superOptions: readonly string[];
}

/** Parses mountinfo. Lines of another format are left out. */
export function parseMountinfo(text: string): MountinfoEntry[] {
  const entries: MountinfoEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = parseMountinfoLine(line);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Parses one line; undefined when it has another format. */
function parseMountinfoLine(line: string): MountinfoEntry | undefined {
  const fields = line.split(' ');
  // The optional fields in the middle end with a lone hyphen.
  const hyphen = fields.indexOf('-', 6);
  const [id = '', parentId = '', device = '', root = '', mountpoint = '', options = ''] = fields;
  const [type, source = '', superOptions = ''] = fields.slice(hyphen + 1);
  if (hyphen < 0 || type === undefined) return undefined;
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescapePath(root),
    mountpoint: unescapePath(mountpoint),
    options: options.split(','),
    propagation: fields.slice(6, hyphen),
    type,
    source: unescapePath(source),
    superOptions: superOptions.split(','),
  };
}

/** The kernel writes space, tab, newline, backslash, and `#` in a source, as a backslash and three octal digits. */
function unescapePath(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
