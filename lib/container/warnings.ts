import type { Log } from '../../cmd/tsrun/log/logger.ts';

/** Takes one line each. */
type Say = (message: string) => void;

/**
 * Runs a synchronous step that may warn, and logs what it says, whether it succeeds or fails. It is written
 * after the step: what it does must not wait for the logger to be loaded.
 */
export async function logWarnings<T>(log: Log, step: (warn: Say, debug: Say) => T): Promise<T> {
  const said: { level: 'warning' | 'debug'; message: string }[] = [];
  const say =
    (level: 'warning' | 'debug'): Say =>
    (message) => {
      said.push({ level, message });
    };
  try {
    return step(say('warning'), say('debug'));
  } finally {
    for (const { level, message } of said) await log[level](message);
  }
}
