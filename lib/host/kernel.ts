/** What the running kernel supports; undefined when it does not tell. */
import { readdirSync, readFileSync } from 'node:fs';

/** The highest capability (capabilities(7)). */
export function lastCapability(): number | undefined {
  const last = Number.parseInt(tryRead('/proc/sys/kernel/cap_last_cap') ?? '', 10);
  return Number.isNaN(last) ? undefined : last;
}

/** The names in /proc/self/ns: one for each type of namespace, and a few more (namespaces(7)). */
export function namespaceLinks(): ReadonlySet<string> | undefined {
  try {
    return new Set(readdirSync('/proc/self/ns'));
  } catch {
    return undefined;
  }
}

/** A number of /proc/sys, by its path there: `fs/nr_open`. */
export function sysctlNumber(path: string): bigint | undefined {
  const text = tryRead(`/proc/sys/${path}`)?.trim() ?? '';
  return /^-?[0-9]+$/.test(text) ? BigInt(text) : undefined;
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
