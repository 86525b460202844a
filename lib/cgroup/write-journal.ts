import { posix } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { type CgroupWrite, propertyName } from './cgroup-write.ts';
import { isGone, readText, writeValue } from './files.ts';

interface Entry {
  path: string;
  /** Undefined when nothing restores the file. */
  previous: string | undefined;
  write: CgroupWrite;
}

/** What cgroup files said before they were written, to undo a change that fails half-way. */
export class WriteJournal {
  private readonly entries: Entry[] = [];

  /** Call it before `value` is written to `path`, and what it returns when the write has succeeded. */
  prepare(write: CgroupWrite, path: string, value: string): () => void {
    const before = readBefore(path);
    return () => {
      const previous = before === undefined ? undefined : previousValue(posix.basename(path), value, before);
      this.entries.push({ path, previous, write });
    };
  }

  /**
   * Restores the files in reverse order: limits that constrain each other were consistent after each write. Returns the
   * properties (`memory limit`) that stay changed.
   */
  undo(): string[] {
    const left: string[] = [];
    for (const { path, previous, write } of this.entries.reverse()) {
      if (previous === undefined || !restore(path, previous)) left.push(propertyName(write));
    }
    return left;
  }
}

/** Undefined for a file that cannot be read or is not there. */
function readBefore(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (isGone(error) || hasErrno(error, 'EACCES', 'EINVAL', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

function restore(path: string, value: string): boolean {
  try {
    writeValue(path, value);
    return true;
  } catch {
    // The caller says what stays changed; the error that made it undo matters more than this one.
    return false;
  }
}

/** Files with a line for each device or interface, which begins with its name. */
const keyed =
  /^(blkio\.throttle\.|blkio\..*weight_device$|io\.(bfq\.)?weight$|io\.(max|latency|cost)|rdma\.max$|misc\.max$|dmem\.|net_prio\.ifpriomap$)/;

/** What to write for a device that had no line. */
const unset: readonly (readonly [RegExp, string])[] = [
  [/^blkio\.throttle\./, '0'],
  [/weight/, 'default'],
  [/^io\.max$/, 'rbps=max wbps=max riops=max wiops=max'],
];

/**
 * What to write to a cgroup file to undo a write.
 *
 * @param file its name.
 * @param written what the write to undo consists of.
 * @param before what the file said before it.
 * @returns undefined when the file takes nothing that would restore it.
 */
export function previousValue(file: string, written: string, before: string): string | undefined {
  if (file === 'memory.oom_control') return /^oom_kill_disable ([01])$/m.exec(before)?.[1];
  const lines = before.split('\n').filter((line) => line.trim() !== '');
  if (!keyed.test(file)) {
    // An empty write is none at all to the kernel.
    return lines.length > 1 ? undefined : (lines[0]?.trim() ?? '\n');
  }
  const [key = '', ...values] = written.split(' ');
  if (values.length === 0) return defaultLine(lines);
  const line = lines.find((text) => text.split(' ')[0] === key);
  if (line !== undefined) return line.trim();
  const value = unset.find(([pattern]) => pattern.test(file))?.[1];
  return value === undefined ? undefined : `${key} ${value}`;
}

/** The weight of devices without their own: the file's only line, or the one that begins with `default`. */
function defaultLine(lines: readonly string[]): string | undefined {
  return lines.length === 1 ? lines[0] : lines.find((line) => line.startsWith('default '));
}
