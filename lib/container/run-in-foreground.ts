import { setSubreaper } from '../native/process.ts';
import { holdSignals, releaseSignals } from '../native/foreground.ts';
import type { Log } from '../../cmd/tsrun/log/logger.ts';
import { removeSame } from './delete.ts';
import { containerFolder } from '../state/folder.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { StateRoot } from '../state/state-root.ts';
import { logWarnings } from './warnings.ts';

type Say = (message: string) => void;

/**
 * A life that tsrun stays for, as `run` and `restore` do in the foreground: `begin` makes the container and lets it
 * run, `stay` waits for its end and returns the exit status. Signals wait from the beginning, for the container.
 * Deletes the container afterwards, unless `keep`.
 */
export async function attend<Begun extends { record: ContainerRecord }>(
  request: {
    root: StateRoot;
    id: string;
    log: Log;
    noSubreaper?: boolean | undefined;
    keep?: boolean | undefined;
  },
  begin: (warn: Say, debug: Say) => Begun,
  stay: (begun: Begun) => number | Promise<number>,
): Promise<number> {
  const { root, id, log } = request;
  if (request.noSubreaper !== true) setSubreaper(true);
  holdSignals();
  let begun: Begun;
  try {
    begun = await logWarnings(log, begin);
  } catch (error) {
    releaseSignals();
    throw error;
  }
  const status = await stay(begun);
  if (request.keep === true) return status;
  await logWarnings(log, (warn) => {
    removeSame(containerFolder(root.path, id), begun.record, warn);
  });
  return status;
}
