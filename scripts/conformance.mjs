#!/usr/bin/env node
// Runs the validation tests of opencontainers/runtime-tools; what they show and with which options:
// integration/conformance/main.ts. One run at a time: the tests use cgroups of the same names.

import { spawnSync } from 'node:child_process';
import { root } from './build/step.mjs';

const lock = '/run/tsrun-conformance.lock';
const busy = 75;

if (process.getuid?.() !== 0) {
  console.error('the conformance tests make real containers and need root: run them with sudo');
  process.exit(1);
}
const { error, status } = spawnSync(
  'flock',
  [
    ...['--nonblock', '--conflict-exit-code', String(busy), '--close', lock],
    ...[process.execPath, '--import', 'tsx', 'integration/conformance/main.ts', ...process.argv.slice(2)],
  ],
  { cwd: root, stdio: 'inherit' },
);
if (error !== undefined) console.error(`cannot run flock (Debian: util-linux): ${error.message}`);
if (status === busy) console.error(`another run of the conformance tests holds ${lock}`);
process.exit(status ?? 1);
