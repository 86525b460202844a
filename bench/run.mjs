#!/usr/bin/env node
// Compares `tsrun run` with runc and, where it works, crun, on the same bundle in one run of hyperfine. What
// counts is the ratio: absolute times are this machine's.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  copyFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tsrun = fileURLToPath(new URL('../dist/tsrun', import.meta.url));
const runs = process.argv[2] ?? '100';
const bundle = mkdtempSync(join(tmpdir(), 'tsrun-bench-'));
try {
  makeBundle();
  // An environment variable that makes Node read certificates adds to every start of it.
  const env = { ...process.env };
  delete env['NODE_EXTRA_CA_CERTS'];
  const commands = [
    { name: 'tsrun', command: `${tsrun} run --bundle ${bundle} bench-tsrun` },
    ...['runc', 'crun']
      .filter(works)
      .map((name) => ({ name, command: `${name} run --bundle ${bundle} bench-${name}` })),
  ];
  const results = join(bundle, 'results.json');
  const { status, error } = spawnSync(
    'hyperfine',
    [
      '--shell=none',
      '--warmup=10',
      `--runs=${runs}`,
      `--export-json=${results}`,
      ...commands.map(({ command }) => command),
    ],
    { stdio: 'inherit', env },
  );
  if (error !== undefined) throw new Error(`hyperfine is missing (Debian: hyperfine): ${error.message}`);
  if (status !== 0) throw new Error('hyperfine failed');
  const measured = JSON.parse(readFileSync(results, 'utf8')).results;
  const [ours] = measured;
  console.log('\ntsrun takes, of the time of');
  commands.slice(1).forEach(({ name }, index) => {
    const theirs = measured[index + 1];
    console.log(
      `  ${name}: minimum ${ratio(ours.min, theirs.min)}, median ${ratio(ours.median, theirs.median)}`,
    );
  });
} finally {
  rmSync(bundle, { recursive: true, force: true });
}

/** @param {number} ours @param {number} theirs */
function ratio(ours, theirs) {
  return (ours / theirs).toFixed(2);
}

function makeBundle() {
  const bin = join(bundle, 'rootfs/bin');
  for (const folder of ['bin', 'dev', 'proc', 'sys'])
    mkdirSync(join(bundle, 'rootfs', folder), { recursive: true });
  if (!existsSync('/bin/busybox')) throw new Error('busybox is missing (Debian: busybox-static)');
  copyFileSync('/bin/busybox', join(bin, 'busybox'));
  symlinkSync('busybox', join(bin, 'true'));
  const { status } = spawnSync(tsrun, ['spec', '--bundle', bundle], { stdio: 'inherit' });
  if (status !== 0) throw new Error('tsrun spec failed');
  const file = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  // crun before 1.20 knows no specification newer than 1.0.
  config.ociVersion = '1.0.2';
  config.process.terminal = false;
  config.process.args = ['/bin/true'];
  writeFileSync(file, JSON.stringify(config));
}

/** @param {string} name */
function works(name) {
  const { status } = spawnSync(name, ['run', '--bundle', bundle, `bench-${name}-try`], { stdio: 'ignore' });
  if (status !== 0) console.log(`${name} is left out: it cannot run the bundle here`);
  return status === 0;
}
