#!/usr/bin/env node
// Runs the integration tests on each engine, in a mount namespace of their own: a test that goes wrong cannot
// leave a mount on the host. Arguments: --engine bun|node for one engine only; the rest goes to mocha.
// TSRUN_TEST_RUNTIME=/usr/sbin/runc shows what another runtime makes of the tests.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const inside = 'TSRUN_TEST_NAMESPACE';

if (process.getuid?.() !== 0) {
  console.error('the integration tests make real containers and need root: run them with sudo');
  process.exit(1);
}
process.exit(process.env[inside] === undefined ? enterNamespace() : runEngines(process.argv.slice(2)));

function enterNamespace() {
  const { error, status } = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', process.execPath, ...process.argv.slice(1)],
    { cwd, stdio: 'inherit', env: { ...process.env, [inside]: '1' } },
  );
  if (error !== undefined) console.error(`cannot run unshare (Debian: util-linux): ${error.message}`);
  return status ?? 1;
}

/** Temporary folders of our own, so that whatever appears in them was left by a test. */
function hideTemporaryFolders() {
  const folders = ['/dev/shm', '/tmp'].filter((folder) => !cwd.startsWith(`${folder}/`));
  for (const folder of folders) {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', folder], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`cannot mount a tmpfs on ${folder}`);
  }
  return folders.join(':');
}

/** @param {string[]} args */
function runEngines(args) {
  const folders = hideTemporaryFolders();
  const at = args.indexOf('--engine');
  const chosen = at === -1 ? undefined : args.splice(at, 2)[1];
  const files = args.some((arg) => arg.endsWith('.test.ts')) ? [] : ['integration/*.test.ts'];
  const engines = chosen === undefined ? ['bun', 'node'] : [chosen];
  let worst = 0;
  for (const engine of engines) {
    console.log(`\n== integration tests on ${engine}`);
    if (engine === 'bun' && !existsSync(`${cwd}/dist/tsrun-engine`)) {
      console.error('dist/tsrun-engine is missing: npm run build');
      worst = 1;
      continue;
    }
    const { status } = spawnSync(
      process.execPath,
      ['node_modules/mocha/bin/mocha.js', '--config', '.mocharc.integration.json', ...args, ...files],
      {
        cwd,
        stdio: 'inherit',
        env: { ...process.env, TSRUN_TEST_ENGINE: engine, TSRUN_TEST_FOLDERS: folders },
      },
    );
    worst = Math.max(worst, status ?? 1);
  }
  return worst;
}
