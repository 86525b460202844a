#!/usr/bin/env node
// Changes the product in one small place at a time and looks whether a test notices: `npm run test:mutants`.
// Arguments: names of rooms (default: all); --sample N and --seed N for a part of a C room's mutants; --quick for
// those of a TypeScript room that need no new process each (all but the constants of its modules).
// Prints the mutants no test noticed, and a score for each room.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './build/step.mjs';
import { runC } from './mutants/c.mjs';
import { rooms } from './mutants/rooms.mjs';
import { sandboxed } from './mutants/sandbox.mjs';
import { runTypeScript } from './mutants/typescript.mjs';

const inside = 'TSRUN_MUTANTS_SANDBOX';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: 'all' },
    seed: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
  },
});
const sample = values.sample === 'all' ? Infinity : Number(values.sample);
const unknown = positionals.filter((name) => rooms[name] === undefined);
if (unknown.length > 0 || Number.isNaN(sample) || Number.isNaN(Number(values.seed))) {
  console.error(
    `usage: npm run test:mutants -- [--sample N] [--seed N] [--quick] [ROOM...]\nrooms: ${Object.keys(rooms).join(' ')}`,
  );
  process.exit(1);
}
process.exitCode = process.env[inside] === undefined ? enterSandbox() : await runRooms();

function enterSandbox() {
  if (process.getuid?.() !== 0) {
    console.error('the tests of mutants need root, as those of the C parts do: run them with sudo');
    return 1;
  }
  const writable = join(root, 'build');
  mkdirSync(writable, { recursive: true });
  const [program, args] = sandboxed([process.execPath, ...process.argv.slice(1)], writable);
  const { error, status } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, [inside]: '1' },
  });
  if (error !== undefined) console.error(`cannot run unshare (Debian: util-linux): ${error.message}`);
  return status ?? 1;
}

async function runRooms() {
  const names = positionals.length > 0 ? positionals : Object.keys(rooms);
  /** @type {string[]} */
  const scores = [];
  for (const name of names) {
    const room = rooms[name];
    if (room === undefined) continue;
    console.log(`\n== ${name}`);
    const { noticed, survived } =
      room.kind === 'c'
        ? runC(room, { sample, seed: Number(values.seed) })
        : await runTypeScript(name, room, values.quick);
    const all = noticed + survived;
    scores.push(
      `${name}: ${noticed} of ${all} noticed (${Math.floor((100 * noticed) / Math.max(all, 1))} %)`,
    );
    console.log(scores.at(-1));
  }
  console.log(`\n${scores.join('\n')}`);
  return 0;
}
