import type { Log } from '../log/logger.ts';

/**
 * Runs a synchronous step that may warn, and logs the warnings, whether it succeeds or fails. They are
 * written after it: what it does must not wait for the logger to be loaded.
 */
export async function logWarnings<T>(log: Log, step: (warn: (message: string) => void) => T): Promise<T> {
  const warnings: string[] = [];
  try {
    return step((message) => {
      warnings.push(message);
    });
  } finally {
    for (const warning of warnings) await log.warning(warning);
  }
}
