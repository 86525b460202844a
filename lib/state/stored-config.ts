import { parseDocument } from '../config/bundle.ts';
import type { Config } from '../config/types.ts';
import type { ContainerFolder } from './folder.ts';
import { storedConfig } from './store.ts';

/**
 * The config that the container was created with. Commands that need one fact of it on their usual way find that in
 * the record.
 *
 * @throws TsrunError 'corrupt' or 'system' when it cannot be read, 'bundle' when it is not JSON
 */
export function readStoredConfig(folder: ContainerFolder): Config {
  const { text, file } = storedConfig(folder);
  return parseDocument(text, file) as Config;
}
