#!/usr/bin/env node
// Runs the whole test suite: build, lint, unit tests, integration tests on both engines, the conformance suite, and
// tsrun under containerd, podman and docker. A failure does not end the run; the last line is the sum of all tests, and a
// step that broke counts as a failure.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build/step.mjs';

const steps = [
  { name: 'build', command: ['node', 'scripts/build.mjs'] },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  {
    name: 'unit tests',
    command: ['node', 'scripts/unit.mjs'],
    counted: true,
  },
  { name: 'integration tests', command: ['node', 'scripts/integration.mjs'], counted: true },
  {
    name: 'conformance tests',
    command: ['node', 'scripts/conformance.mjs', '--if-possible'],
    counted: true,
  },
  { name: 'tests of engines', command: ['node', 'scripts/engines.mjs'], counted: true },
];

// Not below /tmp, which the integration tests hide behind a tmpfs.
mkdirSync(join(root, 'build'), { recursive: true });
const folder = mkdtempSync(join(root, 'build', 'results-'));
/** @typedef {{ passes: number, failures: number, pending: number }} Counts */
/** @type {Counts} */
const sum = { passes: 0, failures: 0, pending: 0 };
/** @type {string[]} */
const broken = [];
for (const { name, command, counted } of steps) {
  console.log(`\n== ${name}`);
  const results = join(folder, name.replaceAll(' ', '-'));
  const [program, ...args] = command;
  const { status } = spawnSync(program ?? '', args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    cwd: root,
    env: { ...process.env, TSRUN_TEST_RESULTS: results },
  });
  const runs = counted === true ? read(results) : [];
  for (const run of runs) {
    sum.passes += run.passes;
    sum.failures += run.failures;
    sum.pending += run.pending;
  }
  const explained = runs.some((run) => run.failures > 0);
  if (status !== 0 && !explained) broken.push(name);
  if (status === 0 && counted === true && runs.length === 0) broken.push(`${name} (nothing ran)`);
  if (status !== 0 && name === 'build') break;
}
rmSync(folder, { recursive: true });

const failed = sum.failures + broken.length;
if (broken.length > 0) console.log(`\nfailed steps: ${broken.join(', ')}`);
const skipped = sum.pending > 0 ? `, ${String(sum.pending)} skipped` : '';
console.log(`\n${String(sum.passes)} passed, ${String(failed)} failed${skipped}`);
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} file @returns {Counts[]} */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}
