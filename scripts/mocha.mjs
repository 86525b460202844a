// Runs mocha with one of the .mocharc.*.json files on the test files that the arguments name.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build/step.mjs';

/** Options of mocha whose value is the next argument. */
const valued = [
  '-f',
  '--fgrep',
  '-g',
  '--grep',
  '-R',
  '--reporter',
  '--retries',
  '-s',
  '--slow',
  '-t',
  '--timeout',
];

/**
 * Separates options of mocha from the names of test files, which become paths or patterns that mocha knows. A name is
 * a file, a folder, a pattern, or a subject: `mounts` stands for `mounts.test.ts` in `folder`. Ends the process when a name
 * leads to no file.
 * @param {readonly string[]} args
 * @param {string} [folder]
 * @returns {{ files: string[], options: string[] }}
 */
export function separate(args, folder = '.') {
  /** @type {string[]} */
  const options = [];
  /** @type {string[]} */
  const files = [];
  args.forEach((argument, index) => {
    const isOption = argument.startsWith('-') || valued.includes(args[index - 1] ?? '');
    if (isOption) options.push(argument);
    else files.push(fileOf(argument, folder));
  });
  return { files, options };
}

/** @param {string} name @param {string} folder */
function fileOf(name, folder) {
  if (/[*?{[]/.test(name)) return name.includes('/') ? name : `${folder}/${name}.test.ts`;
  const path = join(root, name);
  if (existsSync(path) && statSync(path).isDirectory()) return `${name.replace(/\/$/, '')}/**/*.test.ts`;
  const candidates = [
    ...(name.endsWith('.test.ts') ? [name] : []),
    ...[name, join(folder, name)].map((base) => `${base.replace(/\.ts$/, '')}.test.ts`),
  ];
  const found = candidates.find((file) => existsSync(join(root, file)));
  if (found !== undefined) return found;
  const subjects = readdirSync(join(root, folder)).flatMap(
    (file) => /^(.*)\.test\.ts$/.exec(file)?.[1] ?? [],
  );
  console.error(`no tests for ${name}${subjects.length === 0 ? '' : `; there are: ${subjects.join(' ')}`}`);
  process.exit(1);
}

/**
 * Runs mocha to its end and returns its exit status.
 * @param {'unit' | 'integration' | 'engines'} config
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env] added to the environment
 */
export function runMocha(config, args, env = {}) {
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/mocha/bin/mocha.js', '--config', `.mocharc.${config}.json`, ...args],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
  );
  return status ?? 1;
}

/**
 * Takes an option with a value out of `args`.
 * @param {string[]} args @param {string} name @returns {string | undefined}
 */
export function takeOption(args, name) {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args.splice(at, 2)[1];
}
