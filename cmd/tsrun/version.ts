import { specVersion } from '../../lib/config/defaults.ts';

declare const TSRUN_VERSION: string | undefined;
declare const TSRUN_COMMIT: string | undefined;

/** Set when the product is bundled; running from source has neither. */
export const version = typeof TSRUN_VERSION === 'string' ? TSRUN_VERSION : '0.0.0-source';
export const commit = typeof TSRUN_COMMIT === 'string' ? TSRUN_COMMIT : 'unknown';

/** What `--version` prints. Engines read the lines `commit:` and `spec:` as runc writes them. */
export function versionText(): string {
  const engine =
    'Bun' in globalThis ? `bun ${process.versions['bun'] ?? ''}` : `node ${process.versions.node}`;
  return `tsrun version ${version}\ncommit: ${commit}\nspec: ${specVersion}\nengine: ${engine}\n`;
}
