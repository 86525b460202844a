/** What the generators of C headers share. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `mountBind` → `mount_bind`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function define(name: string, value: number): string {
  const text = value > 0x7fffffff ? `0x${value.toString(16)}u` : String(value);
  return `#define ${name} ${text}`;
}

/** One `#define PREFIX_NAME value` a row. */
export function defines(prefix: string, table: Readonly<Record<string, number>>): string {
  return Object.entries(table)
    .map(([name, value]) => define(`${prefix}_${snakeCase(name).toUpperCase()}`, value))
    .join('\n');
}

/**
 * The main function of a generator: writes `text` to native-shim/include/`name`, or to the file given as argument;
 * with `--check` it only compares. Does nothing when the generator is imported (`url` is its import.meta.url).
 */
export function runGenerator(url: string, name: string, text: () => string): void {
  if (process.argv[1] !== fileURLToPath(url)) return;
  const args = process.argv.slice(2);
  const path =
    args.find((arg) => !arg.startsWith('--')) ??
    fileURLToPath(new URL(`../native-shim/include/${name}`, import.meta.url));
  if (!args.includes('--check')) writeFileSync(path, text());
  else if (readFileSync(path, 'utf8') !== text()) {
    process.stderr.write(`${path} is out of date: run npm run build\n`);
    process.exitCode = 1;
  }
}
