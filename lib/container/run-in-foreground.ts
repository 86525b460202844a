import { setSubreaper } from '../native/child.ts';
import { holdSignals, releaseSignals } from '../native/foreground.ts';
import type { Sink } from '../core/finding.ts';
import { deleteUnlessReplaced } from './delete.ts';
import { containerFolder } from '../state/folder.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';

/**
 * Runs a container in the foreground, for `run` and `restore`, and deletes it afterwards, unless `keep`: `start` creates
 * and starts it, `waitForEnd` returns its exit status. Signals to tsrun are kept from the beginning: those that do not
 * end the start are handed to the container.
 */
export function runInForeground<Started extends { record: ContainerRecord }>(
  request: {
    root: StateRoot;
    id: string;
    log: Sink;
    noSubreaper?: boolean | undefined;
    keep?: boolean | undefined;
  },
  start: () => Started,
  waitForEnd: (started: Started) => number,
): number {
  const { root, id, log } = request;
  if (request.noSubreaper !== true) setSubreaper(true);
  holdSignals();
  let started: Started;
  try {
    started = start();
  } catch (error) {
    releaseSignals();
    throw error;
  }
  const status = waitForEnd(started);
  if (request.keep === true) return status;
  deleteUnlessReplaced(containerFolder(root.path, id), started.record, log.warn);
  return status;
}
