#!/usr/bin/env node
// Makes a bundle from the machine's own files, runs a container in it with the tsrun just built, and lets the
// container show what is isolated. As root with a memory limit; as anybody else rootless.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tsrun = fileURLToPath(new URL('../dist/tsrun', import.meta.url));
const isRoot = process.geteuid?.() === 0;
const memoryLimit = 64 * 1024 * 1024;
const commands = ['sh', 'cat', 'hostname', 'id', 'ls', 'readlink'];

const showLimit = `
for file in /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max; do
  [ -r "$file" ] && echo "memory      limited to $(cat "$file") bytes"
done`;

const script = `
echo "process     pid $$ of $(ls -d /proc/[0-9]* | wc -l) visible, user $(id -u)"
echo "hostname    $(cat /proc/sys/kernel/hostname)"
echo "network     $(cat /proc/net/dev | tail -n +3 | wc -l) interface(s)"
echo "mounts      $(cat /proc/self/mounts | wc -l), / is $(cat /proc/self/mounts | head -n 1 | cut -d ' ' -f 4 | cut -d , -f 1)"
for kind in pid net ipc mnt uts user cgroup; do echo "namespace   $(readlink /proc/self/ns/$kind)"; done
${isRoot ? showLimit : ''}
true
`;

const bundle = mkdtempSync(join(tmpdir(), 'tsrun-demo-'));
try {
  // The container's root must be able to get there, whoever that is on the host.
  chmodSync(bundle, 0o755);
  makeRootfs(join(bundle, 'rootfs'));
  makeConfig();
  process.exitCode = run();
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(bundle, { recursive: true, force: true });
}

/** @param {string} rootfs */
function makeRootfs(rootfs) {
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    mkdirSync(join(rootfs, folder), { recursive: true });
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  const wanted = [...commands, 'wc', 'tail', 'head', 'cut'];
  const busybox = find('busybox');
  if (busybox !== undefined && librariesOf(busybox).length === 0) {
    copyFileSync(busybox, join(rootfs, 'bin/busybox'));
    for (const command of wanted) symlinkSync('busybox', join(rootfs, 'bin', command));
    return;
  }
  for (const command of wanted) {
    const file = find(command);
    if (file === undefined)
      throw new Error(`${command} is not on this machine; install busybox-static for the demo`);
    copyInto(rootfs, file, join('/bin', command));
    for (const library of librariesOf(file)) copyInto(rootfs, library, library);
  }
}

/** @param {string} rootfs @param {string} file @param {string} place */
function copyInto(rootfs, file, place) {
  const target = join(rootfs, place);
  mkdirSync(dirname(target), { recursive: true });
  if (!existsSync(target)) copyFileSync(realpathSync(file), target);
}

/** @param {string} command */
function find(command) {
  return ['/usr/bin', '/bin', '/usr/local/bin']
    .map((folder) => join(folder, command))
    .find((file) => existsSync(file));
}

/** The shared libraries a program needs, its loader included; none when it is static. @param {string} file */
function librariesOf(file) {
  const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/(\/\S+)(?= \(0x)/g)].map((match) => match[1] ?? '');
}

function makeConfig() {
  must(['spec', '--bundle', bundle, ...(isRoot ? [] : ['--rootless'])]);
  const file = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  config.process.terminal = false;
  config.process.args = ['sh', '-c', script];
  config.hostname = 'demo';
  if (isRoot) config.linux.resources = { ...config.linux.resources, memory: { limit: memoryLimit } };
  if (!config.mounts.some((/** @type {{ type: string }} */ mount) => mount.type === 'cgroup')) {
    config.mounts.push({
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    });
  }
  writeFileSync(file, JSON.stringify(config, null, 2));
}

function run() {
  const id = basename(bundle);
  const state = join(bundle, 'state');
  console.log(`$ tsrun run --bundle ${bundle} ${id}${isRoot ? '' : '   # rootless'}\n`);
  const { status, error } = spawnSync(tsrun, ['--root', state, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined) throw error;
  if (status === 0)
    console.log(
      `\nThe host sees ${readFileSync('/proc/sys/kernel/hostname', 'utf8').trim()} as its hostname, and no trace of the container is left.`,
    );
  return status ?? 1;
}

/** @param {string[]} args */
function must(args) {
  const { status, error } = spawnSync(tsrun, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`tsrun ${args[0] ?? ''} failed`);
}
