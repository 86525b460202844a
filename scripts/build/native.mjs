// The C parts: launcher, init and libtsrun.so, each one compiler call over the .c files of its folders.

import { chmodSync, copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { BuildError, dist, filesBelow, install, root, run, scratch, step } from './step.mjs';

const shim = join(root, 'native-shim');

const warnings = ['-Wall', '-Wextra', '-Wshadow', '-Wvla', '-Wformat=2'].concat([
  '-Wstrict-prototypes',
  '-Wmissing-prototypes',
  '-Wdeclaration-after-statement',
  '-Werror',
]);
const common = ['-std=c11', ...warnings, '-fstack-protector-strong', `-I${join(shim, 'include')}`];
const linked = ['-s', '-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack'];

/** For programs without libc, linked with native-shim/freestanding. */
const freestanding = [
  ...['-Os', '-ffreestanding', '-fno-pie', '-mstack-protector-guard=global', '-fno-strict-aliasing'],
  // No loop may become a call of the memcpy it is in.
  '-fno-tree-loop-distribute-patterns',
  ...['-fno-asynchronous-unwind-tables', '-ffunction-sections', '-fdata-sections'],
  `-I${join(shim, 'freestanding')}`,
];
const freestandingLinked = ['-static', '-nostdlib', '-no-pie', '-Wl,--gc-sections'].concat([
  '-Wl,--build-id=none',
  '-Wl,-z,noseparate-code',
]);

/** What is built from which folders of native-shim. */
const targets = [
  {
    folders: ['launcher', 'freestanding'],
    output: 'tsrun',
    compile: freestanding,
    link: freestandingLinked,
  },
  {
    folders: ['init', 'freestanding'],
    output: 'tsrun-init',
    compile: freestanding,
    link: freestandingLinked,
  },
  {
    folders: ['lib'],
    output: 'libtsrun.so',
    compile: ['-O2', '-fPIC', '-D_GNU_SOURCE', '-fvisibility=hidden'],
    link: ['-shared'],
  },
];

const toolchainHint = 'on Debian: apt-get install gcc libc6-dev';

export function checkToolchain() {
  run('gcc', ['--version'], { missing: `no C compiler (gcc) on this machine; ${toolchainHint}` });
  const libc = run('gcc', ['-print-file-name=libc.a']).stdout.trim();
  if (!isAbsolute(libc)) throw new BuildError(`the static C library (libc.a) is missing; ${toolchainHint}`);
}

export function buildNative() {
  const commands = [];
  const headers = filesBelow(shim, (name) => name.endsWith('.h'));
  for (const { folders, output, compile, link } of targets) {
    const sources = folders.flatMap((folder) => sourcesOf(join(shim, folder)));
    const flags = [...common, ...compile];
    for (const file of sources)
      commands.push({ directory: root, file, arguments: ['gcc', ...flags, '-c', file] });
    const made = join(scratch, output);
    const settings = [...flags, ...linked, ...link];
    step(output, { inputs: [...sources, ...headers], settings, outputs: [join(dist, output)] }, () => {
      run('gcc', [...settings, '-o', made, ...sources]);
      install(made, join(dist, output));
    });
  }
  writeFileSync(join(root, 'build', 'compile_commands.json'), JSON.stringify(commands, undefined, 1));
}

/** The C sources of a folder, without those of testing/ below it. @param {string} folder */
function sourcesOf(folder) {
  return filesBelow(folder, (name) => name.endsWith('.c')).filter(
    (file) => !file.slice(folder.length + 1).includes('/'),
  );
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
