import { existsSync } from 'node:fs';
import { listContainers } from '../../../lib/report/list.ts';
import { makeStateRoot } from '../../../lib/state/state-root.ts';
import { listIds } from '../../../lib/state/store.ts';
import { defineCommand, globalFlags } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { formatFlag } from '../flags/format-flag.ts';
import { print, table } from '../output.ts';
import { parseFlags } from '../flags/parse.ts';

export const command = defineCommand({
  flags: {
    format: formatFlag('table'),
    quiet: { kind: 'boolean', short: 'q', help: 'ids only' },
  },
  positionals: [],
  examples: ['tsrun list', 'tsrun list --format json'],
  run({ flags, globals }) {
    const root = rootOf(globals);
    // As with runc: a folder that cannot be there is a mistake, and not one without containers.
    if (globals.root !== undefined && !existsSync(root.path)) makeStateRoot(root);
    if (flags.quiet) {
      print(
        listIds(root.path)
          .map((id) => `${id}\n`)
          .join(''),
      );
      return 0;
    }
    const { containers, broken } = listContainers(root);
    const { warn } = logOf(globals);
    for (const failure of broken) warn(failure);
    if (flags.format === 'json') {
      // Go prints an empty slice that was never made as null, and clients of runc are used to it.
      print(`${containers.length === 0 ? 'null' : JSON.stringify(containers)}\n`);
      return 0;
    }
    const rows = containers.map(({ id, pid, status, bundle, created, owner }) => [
      id,
      String(pid),
      status,
      bundle,
      created,
      owner,
    ]);
    print(table(['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], rows));
    return 0;
  },
});

/** Container ids for completion: those below the --root among the words, or below the default one. */
export function knownIds(words: readonly string[]): string[] {
  try {
    const { flags } = parseFlags(words, globalFlags, { program: 'tsrun', stopAtPositional: true });
    return listIds(rootOf(flags).path);
  } catch {
    return [];
  }
}
