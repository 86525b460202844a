#!/usr/bin/env node
// Runs tsrun and runc behind the real engines: containerd with ctr and CRI, podman, buildah, docker. All of it
// happens in mount, network and process namespaces of its own, so that daemons, bridges and mounts of a test
// that goes wrong end with the run. Arguments go to mocha, test files among them.
// --table writes the table of docs/engines.md anew from the run; --engine node runs tsrun's other engine.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const inside = 'TSRUN_TEST_NAMESPACE';

// Where engines keep state at fixed paths, and what the tests fill: gone with the namespace. /var/tmp is in
// memory for speed: the databases of the daemons sync every write.
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
    { cwd, stdio: 'inherit', env: { ...process.env, [inside]: '1', TSRUN_TEST_RUN: String(process.pid) } },
  );
  if (error !== undefined) console.error(`cannot run unshare (Debian: util-linux): ${error.message}`);
  return status ?? 1;
}

/** @param {string[]} args */
function runTests(args) {
  const folders = hidden.filter((folder) => !cwd.startsWith(`${folder}/`));
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
  if (!existsSync(`${cwd}/dist/tsrun-engine`)) {
    console.error('dist/tsrun-engine is missing: npm run build');
    return 1;
  }
  const at = args.indexOf('--engine');
  const engine = at === -1 ? 'bun' : args.splice(at, 2)[1];
  const table = args.includes('--table');
  if (table) args.splice(args.indexOf('--table'), 1);
  const files = args.some((arg) => arg.endsWith('.test.ts')) ? [] : ['integration/engines/**/*.test.ts'];
  const mocha = ['node_modules/mocha/bin/mocha.js', '--config', '.mocharc.engines.json', ...args, ...files];
  const { status } = spawnSync(process.execPath, mocha, {
    cwd,
    stdio: 'inherit',
    env: {
      ...process.env,
      TSRUN_TEST_ENGINE: engine,
      TSRUN_TEST_FOLDERS: folders.filter((folder) => ['/dev/shm', '/tmp'].includes(folder)).join(':'),
      ...(table ? { TSRUN_WRITE_TABLE: '1' } : {}),
      ...(files.length > 0 ? { TSRUN_ALL_ENGINES: '1' } : {}),
    },
  });
  return status ?? 1;
}

/** @param {string} program @param {string[]} args */
function must(program, ...args) {
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}
