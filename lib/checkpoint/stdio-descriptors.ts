/** What the container's stdio was at its checkpoint, so that restore can give it other descriptors. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../core/error.ts';

/** In the folder of the images, under runc's name: a JSON array of the keys of stdio-keys.ts. */
const descriptorsFile = 'descriptors.json';

/** Writes descriptors.json. `stdio`: ContainerRecord.stdio. */
export function writeDescriptors(images: string, stdio: readonly string[] = []): void {
  const file = join(images, descriptorsFile);
  try {
    writeFileSync(file, JSON.stringify(stdio), { mode: 0o600 });
  } catch (error) {
    throw fileError(`write ${file}`, error);
  }
}

/**
 * The files and sockets of the host among the container's stdio, for criu's option `external`. Pipes need none: criu
 * dumps them. Pure.
 */
export function externalStdio(stdio: readonly string[] = []): string[] {
  return stdio
    .filter((key) => key !== '' && !key.startsWith('pipe:'))
    .map((key) => key.replace(/^null:/, '').replace(/^socket:/, 'unix'));
}

/**
 * Which descriptor of criu takes the place of each dumped one, for criu's option `inherit_fd`: 0, 1 and 2 of criu, or
 * `nullFd` for what was /dev/null. criu opens a file again and refuses one of another kind.
 *
 * @throws TsrunError 'system' when descriptors.json cannot be read
 */
export function inheritedStdio(images: string, nullFd: number): { key: string; fd: number }[] {
  const path = join(images, descriptorsFile);
  let keys: unknown;
  try {
    keys = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fileError(`read ${path}`, error, {
      hint: '--image-path must be what tsrun checkpoint has written',
    });
  }
  if (!Array.isArray(keys)) return [];
  const inherited = new Map<string, number>();
  for (const [fd, text] of (keys as unknown[]).slice(0, 3).entries()) {
    const [, isNull, key] = /^(null:)?((?:pipe:|socket:|file)\[.*)$/.exec(String(text)) ?? [];
    if (key !== undefined && !inherited.has(key)) inherited.set(key, isNull === undefined ? fd : nullFd);
  }
  return [...inherited].map(([key, fd]) => ({ key, fd }));
}
