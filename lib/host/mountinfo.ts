/** One mount of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
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

/** Parses mountinfo; lines that are none are left out. */
export function parseMountinfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = parseMountinfoLine(line);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Parses one line; undefined when it is no mountinfo line. */
function parseMountinfoLine(line: string): MountEntry | undefined {
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

/** Space, tab, newline and backslash are written as three octal digits; `#` in a source, too. */
function unescapePath(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
