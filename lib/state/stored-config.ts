import { parseDocument } from '../config/bundle.ts';
import type { Config } from '../config/types.ts';
import type { Document } from '../core/source.ts';
import type { ContainerFolder } from './folder.ts';
import { storedConfig } from './store.ts';

/**
 * The config that the container was created with. Commands that need one fact of it on their usual way find that in
 * the record.
 *
 * @throws TsrunError 'corrupt' or 'system' when it cannot be read, 'bundle' when it is not JSON
 */
export function readStoredConfig(folder: ContainerFolder): Config {
  return parseStoredConfig(storedConfig(folder));
}

/**
 * A stored config. `create` has validated it; only properties that are null are still there, since the text is the
 * user's.
 *
 * @throws TsrunError 'bundle' when it is not JSON
 */
export function parseStoredConfig({ text, file }: Document): Config {
  const config = parseDocument(text, file);
  removeNulls(config);
  return config as Config;
}

function removeNulls(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    if (child === null && !Array.isArray(value)) Reflect.deleteProperty(value, name);
    else removeNulls(child);
  }
}
