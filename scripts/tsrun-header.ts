/** Writes native-shim/include/tsrun.h, the declarations of libtsrun.so, from lib/native/signatures.ts. */
import {
  type FunctionName,
  maxMessageFds,
  maxPollFds,
  prototype,
  signatures,
  spawnFlags,
  spawnHead,
  spawnSteps,
} from '../lib/native/signatures.ts';
import { define, defines, runGenerator, snakeCase } from './c-header.ts';

/** The text of tsrun.h; a pure function of the tables. */
export function tsrunHeader(): string {
  const head = Object.entries(spawnHead).map(([name, type]) => `    ${type} ${snakeCase(name)};`);
  const names = Object.keys(signatures) as FunctionName[];
  return `${[
    '/* libtsrun.so. Generated from lib/native/signatures.ts by scripts/tsrun-header.ts: edit those. */',
    '/* clang-format off */',
    '#ifndef TSRUN_TSRUN_H\n#define TSRUN_TSRUN_H',
    '#include <stdint.h>',
    [define('MAX_MESSAGE_FDS', maxMessageFds), define('MAX_POLL_FDS', maxPollFds)].join('\n'),
    defines('SPAWN', spawnFlags),
    defines('SPAWN_STEP', spawnSteps),
    ['struct spawn_head {', ...head, '    int32_t fds[];', '};'].join('\n'),
    '#pragma GCC visibility push(default)',
    names.map((name) => `${prototype(name)};`).join('\n'),
    '#pragma GCC visibility pop',
    '#endif',
  ].join('\n\n')}\n`;
}

runGenerator(import.meta.url, 'tsrun.h', tsrunHeader);
