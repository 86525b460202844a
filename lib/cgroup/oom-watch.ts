import { closeSync, readSync } from 'node:fs';
import { oomEventfd, watchFile } from '../native/watch.ts';
import { hasErrno } from '../core/errno.ts';
import { pathExists } from '../host/filesystem.ts';
import { isGone, readText } from './files.ts';
import { parseCounters } from './stats/parse.ts';
import { type CgroupRecord, controllerDirectory } from './record.ts';

/** Notices when a container runs out of memory. */
export interface OomWatch {
  /** The descriptor to poll. */
  fd: number;
  /** True when it has run out of memory since the last call. */
  take: () => boolean;
  close: () => void;
}

/** Begins to watch; undefined for a container without a memory cgroup. Earlier events do not count. */
export function watchOom(record: CgroupRecord): OomWatch | undefined {
  const directory = controllerDirectory(record, record.version === 1 ? 'memory' : '');
  if (directory === undefined) return undefined;
  if (record.version === 1) return watchV1(directory);
  return pathExists(`${directory}/memory.events`) ? watchV2(directory) : undefined;
}

function watchV1(directory: string): OomWatch {
  const fd = oomEventfd(directory);
  return {
    fd,
    // The removal of a cgroup is an event as well.
    take: () => drain(fd) && pathExists(directory),
    close: () => {
      closeSync(fd);
    },
  };
}

function watchV2(directory: string): OomWatch {
  const fd = watchFile(`${directory}/memory.events`);
  let before = oomKills(directory) ?? 0n;
  return {
    fd,
    take: () => {
      // The event may come shortly after the counter has changed, so compare the counter.
      drain(fd);
      const now = oomKills(directory) ?? before;
      const happened = now > before;
      before = now;
      return happened;
    },
    close: () => {
      closeSync(fd);
    },
  };
}

/** How many processes the OOM killer has killed; undefined when the cgroup is gone. */
function oomKills(directory: string): bigint | undefined {
  try {
    return parseCounters(readText(`${directory}/memory.events`)).get('oom_kill');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Reads what there is; false when there was nothing. */
function drain(fd: number): boolean {
  const buffer = Buffer.alloc(4096);
  try {
    return readSync(fd, buffer) > 0;
  } catch (error) {
    if (hasErrno(error, 'EAGAIN')) return false;
    throw error;
  }
}
