#!/usr/bin/env node
// Runs tsrun and runc under the real engines: containerd with ctr and CRI, podman, buildah, docker. The tests run in
// mount, network and pid namespaces of their own, so that daemons, bridges and mounts of a test that fails end with
// the run. Arguments: subjects (`podman` for integration/engines/podman.test.ts), files or patterns; --table writes the
// table of docs/engines-tested.md from this run; --engine node runs tsrun on Node; everything else goes to mocha.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build/step.mjs';
import { runMocha, separate, takeOption } from './mocha.mjs';

const inside = 'TSRUN_TEST_NAMESPACE';

// Folders in which engines keep state at fixed paths, or which the tests fill. /var/tmp is in memory for speed: the
// databases of the daemons sync every write.
const hidden = ['/dev/shm', '/tmp', '/var/tmp', '/run', '/var/lib/cni', '/etc/cni', '/var/lib/containers'];

if (process.getuid?.() !== 0) {
  console.error('the tests of the engines start daemons and need root: run them with sudo');
  process.exit(1);
}
process.exit(process.env[inside] === undefined ? enterNamespaces() : runTests(process.argv.slice(2)));

function enterNamespaces() {
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const { error, status } = spawnSync(
    'unshare',
    [...namespaces, '--propagation', 'private', process.execPath, ...process.argv.slice(1)],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, [inside]: '1', TSRUN_TEST_RUN: String(process.pid) },
    },
  );
  if (error !== undefined) console.error(`cannot run unshare (Debian: util-linux): ${error.message}`);
  return status ?? 1;
}

/** @param {string[]} args */
function runTests(args) {
  const folders = hidden.filter((folder) => !root.startsWith(`${folder}/`));
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    must(
      'mount',
      '-t',
      'tmpfs',
      '-o',
      `mode=${/(tmp|shm)$/.test(folder) ? '1777' : '0755'}`,
      'tmpfs',
      folder,
    );
  }
  must('ip', 'link', 'set', 'lo', 'up');
  if (!existsSync(join(root, 'dist/tsrun-engine'))) {
    console.error('dist/tsrun-engine is missing: npm run build');
    return 1;
  }
  const engine = takeOption(args, '--engine') ?? 'bun';
  const table = args.includes('--table');
  if (table) args.splice(args.indexOf('--table'), 1);
  const { files, options } = separate(args, 'integration/engines');
  const everything = files.length === 0;
  return runMocha('engines', [...options, ...(everything ? ['integration/engines/**/*.test.ts'] : files)], {
    TSRUN_TEST_ENGINE: engine,
    TSRUN_TEST_FOLDERS: folders.filter((folder) => ['/dev/shm', '/tmp'].includes(folder)).join(':'),
    ...(table ? { TSRUN_WRITE_TABLE: '1' } : {}),
    ...(everything ? { TSRUN_ALL_ENGINES: '1' } : {}),
  });
}

/** @param {string} program @param {string[]} args */
function must(program, ...args) {
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}
