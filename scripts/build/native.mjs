// The C parts: launcher, init and libtsrun.so, each one compiler call over the .c files of its folder.

import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { BuildError, dist, filesBelow, install, root, run, scratch, step } from './step.mjs';

const shim = join(root, 'native-shim');

const common = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wdeclaration-after-statement',
  '-s',
  `-I${join(shim, 'include')}`,
];
const hardened = ['-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack'];

/** What is built from each folder of native-shim; its flags.txt comes last and so has the last word. */
const targets = [
  { folder: 'launcher', output: 'tsrun', flags: ['-static', '-fstack-protector-strong'] },
  { folder: 'init', output: 'tsrun-init', flags: ['-static', '-nostdlib', '-ffreestanding'] },
  { folder: 'lib', output: 'libtsrun.so', flags: ['-shared', '-fPIC', '-fstack-protector-strong'] },
];

const toolchainHint = 'on Debian: apt-get install gcc libc6-dev';

export function checkToolchain() {
  run('gcc', ['--version'], { missing: `no C compiler (gcc) on this machine; ${toolchainHint}` });
  const libc = run('gcc', ['-print-file-name=libc.a']).stdout.trim();
  if (!isAbsolute(libc)) throw new BuildError(`the static C library (libc.a) is missing; ${toolchainHint}`);
}

export function buildNative() {
  for (const { folder, output, flags } of targets) {
    const home = join(shim, folder);
    const sources = filesBelow(home, (name) => name.endsWith('.c') && !name.endsWith('_test.c')).filter(
      (file) => !file.slice(home.length + 1).includes('/'),
    );
    if (sources.length === 0) throw new BuildError(`native-shim/${folder} has no C source`);
    // The launcher uses the init's sys.h.
    const headers = filesBelow(shim, (name) => name.endsWith('.h'));
    const all = [...common, ...hardened, ...flags, ...extraFlags(home)];
    const made = join(scratch, output);
    step(output, { inputs: [...sources, ...headers], settings: all, outputs: [join(dist, output)] }, () => {
      run('gcc', [...all, '-o', made, ...sources]);
      install(made, join(dist, output));
    });
  }
}

/** koffi's native part comes from an npm package of its own, whether or not install scripts ran. */
export function copyKoffi() {
  const name = `linux_${process.arch}`;
  const source = join(root, 'node_modules', '@koromix', `koffi-linux-${process.arch}`, name, 'koffi.node');
  if (!existsSync(source)) {
    throw new BuildError(`${source} is missing; run npm ci (with optional dependencies) first`);
  }
  step('koffi.node', { inputs: [source], outputs: [join(dist, 'koffi.node')] }, () => {
    const made = join(scratch, 'koffi.node');
    copyFileSync(source, made);
    chmodSync(made, 0o644);
    install(made, join(dist, 'koffi.node'));
  });
}

/** @param {string} folder */
function extraFlags(folder) {
  const file = join(folder, 'flags.txt');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, ''))
    .join(' ')
    .split(/\s+/)
    .filter((flag) => flag !== '');
}
