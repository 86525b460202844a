import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRootfs } from '../harness/rootfs.ts';
import type { Suite } from './suite.ts';

/** How Go, and so the suite, names the architectures Node runs on. */
const goArchitectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64', ia32: '386' };

/** The folders of one run of the suite. Everything in it goes when the run ends. */
export interface Stage {
  folder: string;
  /** Where the tests run: they look for the root filesystem and runtimetest there. */
  cwd: string;
  /** TMPDIR of the tests: their bundles. */
  bundles: string;
  /** The containers of the runtime under test. */
  stateRoot: string;
  /** What the tests call: the runtime under test, with a state root of its own. */
  runtime: string;
  /** The arguments of each call of the runtime, a line each. */
  calls: string;
}

/** Makes the stage for a runtime, which is given as a path or as a name on the PATH. */
export function makeStage(suite: Suite, runtime: string): Stage {
  const folder = mkdtempSync('/var/tmp/tsrun-conformance-');
  // Containers in a user namespace reach their bundle as somebody else.
  chmodSync(folder, 0o755);
  const stage = {
    folder,
    cwd: join(folder, 'cwd'),
    bundles: join(folder, 'bundles'),
    stateRoot: join(folder, 'state'),
    runtime: join(folder, 'runtime'),
    calls: join(folder, 'calls'),
  };
  for (const name of [stage.cwd, stage.bundles]) mkdirSync(name);
  // The tests copy it into their bundles, a symbolic link as a symbolic link.
  copyFileSync(suite.runtimetest, join(stage.cwd, 'runtimetest'));
  archiveRootfs(stage);
  writeFileSync(stage.runtime, script(stage, runtime), { mode: 0o755 });
  return stage;
}

export function removeStage(stage: Stage): void {
  rmSync(stage.folder, { recursive: true, force: true });
}

/** The tests take the runtime's name from RUNTIME, and know no option for its state root. */
function script(stage: Stage, runtime: string): string {
  return (
    '#!/bin/sh\n' +
    `printf '%s\\n' "$*" >>${quote(stage.calls)}\n` +
    `exec ${quote(runtime)} --root ${quote(stage.stateRoot)} "$@"\n`
  );
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function archiveRootfs({ folder, cwd }: Stage): void {
  const rootfs = join(folder, 'rootfs');
  mkdirSync(rootfs);
  copyFileSync('/bin/busybox', join(folder, 'busybox'));
  chmodSync(join(folder, 'busybox'), 0o755);
  makeRootfs(rootfs, folder);
  const name = `rootfs-${goArchitectures[process.arch] ?? process.arch}.tar.gz`;
  execFileSync('tar', ['-czf', join(cwd, name), '-C', rootfs, '.']);
}
