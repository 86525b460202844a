import { setSubreaper } from '../native/child.ts';
import { holdSignals, releaseSignals } from '../native/foreground.ts';
import type { Sink } from '../core/finding.ts';
import { deleteUnlessReplaced } from './delete.ts';
import { containerFolder } from '../state/folder.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';

/**
 * A life that tsrun stays for, as `run` and `restore` do in the foreground: `begin` makes the container and lets it
 * run, `stay` waits for its end and returns the exit status. Signals wait from the beginning, for the container.
 * Deletes the container afterwards, unless `keep`.
 */
export function attend<Begun extends { record: ContainerRecord }>(
  request: {
    root: StateRoot;
    id: string;
    log: Sink;
    noSubreaper?: boolean | undefined;
    keep?: boolean | undefined;
  },
  begin: () => Begun,
  stay: (begun: Begun) => number,
): number {
  const { root, id, log } = request;
  if (request.noSubreaper !== true) setSubreaper(true);
  holdSignals();
  let begun: Begun;
  try {
    begun = begin();
  } catch (error) {
    releaseSignals();
    throw error;
  }
  const status = stay(begun);
  if (request.keep === true) return status;
  deleteUnlessReplaced(containerFolder(root.path, id), begun.record, log.warn);
  return status;
}
