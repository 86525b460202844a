import { existsSync } from 'node:fs';
import { listContainers } from '../../../lib/report/list.ts';
import { makeStateRoot } from '../../../lib/state/state-root.ts';
import { listIds } from '../../../lib/state/store.ts';
import { defineCommand } from '../command.ts';
import { logOf, rootOf } from '../context.ts';
import { formatFlag } from '../flags/flags.ts';
import { print, table } from '../output.ts';

export const command = defineCommand({
  flags: {
    format: formatFlag('table'),
    quiet: { kind: 'boolean', short: 'q', help: 'print only the ids' },
  },
  positionals: [],
  examples: ['tsrun list', 'tsrun list --format json'],
  run({ flags, globals }) {
    const root = rootOf(globals);
    // A --root that cannot be created is an error, as with runc.
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
      // Clients of runc expect null for no containers: Go prints a nil slice so.
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
