import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `look` returns something else than undefined or false, and returns it. For state of the kernel
 * that nobody announces; an error says what never came.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false,
  milliseconds = 10_000,
): Promise<T> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`waited ${milliseconds} ms in vain for ${what}`);
    await delay(5);
  }
}
