#!/usr/bin/env node
// Runs the integration tests on each engine of tsrun, in a mount namespace of their own: a test that fails cannot leave
// a mount on the host. Arguments: --engine bun|node for one engine only; subjects (`mounts` for
// integration/mounts.test.ts), files or patterns; everything else goes to mocha.
// TSRUN_TEST_RUNTIME=/usr/sbin/runc runs the tests with another runtime.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build/step.mjs';
import { runMocha, separate, takeOption } from './mocha.mjs';

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
    { cwd: root, stdio: 'inherit', env: { ...process.env, [inside]: '1' } },
  );
  if (error !== undefined) console.error(`cannot run unshare (Debian: util-linux): ${error.message}`);
  return status ?? 1;
}

/** Mounts empty temporary folders, so that whatever is in them at the end was left by a test. */
function hideTemporaryFolders() {
  const folders = ['/dev/shm', '/tmp'].filter((folder) => !root.startsWith(`${folder}/`));
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
  const chosen = takeOption(args, '--engine');
  const { files, options } = separate(args, 'integration');
  const tests = files.length > 0 ? files : ['integration/*.test.ts'];
  let worst = 0;
  for (const engine of chosen === undefined ? ['bun', 'node'] : [chosen]) {
    console.log(`\n== integration tests on ${engine}`);
    if (engine === 'bun' && !existsSync(join(root, 'dist/tsrun-engine'))) {
      console.error('dist/tsrun-engine is missing: npm run build');
      worst = 1;
      continue;
    }
    const env = { TSRUN_TEST_ENGINE: engine, TSRUN_TEST_FOLDERS: folders };
    worst = Math.max(worst, runMocha('integration', [...options, ...tests], env));
  }
  return worst;
}
