// What every step of the build shares: folders, running a program, and skipping what is up to date.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const dist = join(root, 'dist');
const stamps = join(root, 'build', 'stamps');
/** A folder of this build alone; files are made here and renamed into place. */
export const scratch = join(root, 'build', `tmp.${String(process.pid)}`);

/** A failure the user can understand without a stack trace. */
export class BuildError extends Error {}

export function prepareFolders() {
  for (const folder of [dist, stamps, scratch]) mkdirSync(folder, { recursive: true });
}

export function removeScratch() {
  rmSync(scratch, { recursive: true, force: true });
}

/**
 * Runs a program to its end and returns what it printed; a BuildError with its output when it fails.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, missing?: string }} [options]
 */
export function run(program, args, options = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    cwd: options.cwd ?? root,
    env: options.env ?? process.env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw new BuildError(options.missing ?? `cannot run ${program}: ${error.message}`);
  if (status !== 0) {
    const how = signal === null ? `exit status ${String(status)}` : signal;
    throw new BuildError(`${program} failed (${how}): ${args.join(' ')}\n${stdout}${stderr}`);
  }
  return { stdout, stderr };
}

/**
 * All files below `folder` whose name `wanted` accepts, sorted.
 * @param {string} folder
 * @param {(name: string) => boolean} wanted
 * @returns {string[]}
 */
export function filesBelow(folder, wanted) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && wanted(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/**
 * Does `work` unless `outputs` exist and were made from the same inputs: the contents of `inputs` and the
 * strings in `settings`.
 * @param {string} name
 * @param {{ inputs: readonly string[], settings?: readonly string[], outputs: readonly string[] }} what
 * @param {() => void | Promise<void>} work
 */
export function step(name, what, work) {
  const stamp = join(stamps, name);
  const digest = digestOf(what.inputs, what.settings ?? []);
  const upToDate =
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === digest &&
    what.outputs.every((file) => existsSync(file));
  if (upToDate) return undefined;
  console.log(`build: ${name}`);
  const done = work();
  return done instanceof Promise
    ? done.then(() => {
        remember(stamp, digest);
      })
    : remember(stamp, digest);
}

/**
 * Moves a finished file from the scratch folder to where it belongs, atomically.
 * @param {string} from
 * @param {string} to
 */
export function install(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
}

/** @param {readonly string[]} files @param {readonly string[]} settings */
function digestOf(files, settings) {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const file of files) {
    hash.update(`\0${relative(root, file)}\0${String(statSync(file).size)}\0`);
    hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** @param {string} stamp @param {string} digest */
function remember(stamp, digest) {
  const temporary = join(scratch, 'stamp');
  writeFileSync(temporary, digest);
  renameSync(temporary, stamp);
}
