// The mutants of a room of C: each is built in a copy of the project, with the project's own flags, and put
// before the room's tests.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesBelow, root } from '../build/step.mjs';
import { mutantsOf } from './c-mutants.mjs';
import { sandboxed } from './sandbox.mjs';

/** @typedef {import('./rooms.mjs').CRoom} CRoom */

const copy = join(root, 'build', 'mutants');

/** What a test that passes never needs; a mutant may wait for ever. */
const patience = 120_000;

/**
 * @param {CRoom} room @param {{ sample: number, seed: number }} options
 * @returns {{ noticed: number, survived: number }}
 */
export function runC(room, { sample, seed }) {
  makeCopy();
  build();
  const broken = failureOf(room, '');
  if (broken !== undefined) throw new Error(`the tests fail without a mutant:\n${broken}`);
  const sources = filesBelow(join(copy, 'native-shim', room.folder), (name) => name.endsWith('.c')).filter(
    (file) => !file.includes('/testing/'),
  );
  const all = sources.flatMap((file) => {
    const original = readFileSync(file, 'utf8');
    return mutantsOf(original).map((mutant) => ({ ...mutant, file, original }));
  });
  let noticed = 0;
  let survived = 0;
  for (const { file, line, what, text, original } of shuffled(all, seed).slice(0, sample)) {
    writeFileSync(file, text);
    // One that the compiler does not take is none.
    if (build()) {
      if (failureOf(room, basename(file, '.c')) === undefined) {
        survived++;
        console.log(`survived: ${file.slice(copy.length + 1)}:${line} ${what}`);
      } else noticed++;
    }
    writeFileSync(file, original);
  }
  return { noticed, survived };
}

function makeCopy() {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(join(copy, 'build'), { recursive: true });
  for (const name of ['lib', 'native-shim', 'scripts', 'schemas', 'package.json', 'build/validators']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** Builds the C parts of the copy; false when the compiler refuses. */
function build() {
  const script = `
    import { prepareFolders, removeScratch } from './scripts/build/step.mjs';
    import { buildNative } from './scripts/build/native.mjs';
    prepareFolders();
    try { buildNative(); } finally { removeScratch(); }`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: copy }).status === 0;
}

/**
 * What the first test that fails says; undefined when all pass. Those of the file `first` come first.
 * @param {CRoom} room @param {string} first
 */
function failureOf({ tests, slow }, first) {
  /** @param {string} file */
  const rank = (file) => (file === `${first}.test.ts` ? 0 : slow.includes(file) ? 2 : 1);
  const files = filesBelow(join(copy, tests), (name) => name.endsWith('.test.ts')).sort(
    (a, b) => rank(basename(a)) - rank(basename(b)),
  );
  const mocha = [
    join(copy, 'node_modules/mocha/bin/mocha.js'),
    '--no-config',
    '--bail',
    '--timeout',
    '30000',
  ];
  const [program, args] = sandboxed([process.execPath, '--import', 'tsx', ...mocha, ...files]);
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: copy,
    encoding: 'utf8',
    timeout: patience,
    killSignal: 'SIGKILL',
  });
  return status === 0 ? undefined : `${stdout}${stderr}`;
}

/** In an order that depends on the seed alone. @template T @param {readonly T[]} items @param {number} seed @returns {T[]} */
function shuffled(items, seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return items
    .map((item) => /** @type {const} */ ([random(), item]))
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
