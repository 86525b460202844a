import { posix } from 'node:path';
import { failedWith, isGone, readText, writeValue } from './files.ts';
import { previousValue } from './write-journal.ts';
import type { CgroupWrite } from './cgroup-write.ts';
import { property } from './cgroup-write.ts';

interface Entry {
  path: string;
  /** Undefined when nothing restores the file. */
  previous: string | undefined;
  write: CgroupWrite;
}

/** What cgroup files said before they were written, so that a change that fails half-way can be taken back. */
export class Journal {
  private readonly entries: Entry[] = [];

  /** To be called before `value` is written to `path`; what it returns, once that has succeeded. */
  prepare(write: CgroupWrite, path: string, value: string): () => void {
    const before = readBefore(path);
    return () => {
      const previous = before === undefined ? undefined : previousValue(posix.basename(path), value, before);
      this.entries.push({ path, previous, write });
    };
  }

  /**
   * Restores the files, the one written last first: limits that constrain each other were within their
   * constraints after each write. Returns the properties (`memory limit`) that stay changed.
   */
  undo(): string[] {
    const left: string[] = [];
    for (const { path, previous, write } of this.entries.reverse()) {
      if (previous === undefined || !restore(path, previous)) left.push(property(write));
    }
    return left;
  }
}

/** Undefined for a file that cannot be read or is not there. */
function readBefore(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (isGone(error) || failedWith(error, 'EACCES', 'EINVAL', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

function restore(path: string, value: string): boolean {
  try {
    writeValue(path, value);
    return true;
  } catch {
    // Whatever the reason, the caller says what stays; the error that led here matters more.
    return false;
  }
}
