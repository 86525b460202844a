#!/usr/bin/env node
// Makes dist/: the static launcher, the Bun-compiled engine, the same bundle for Node, the init, libtsrun.so,
// koffi's native part and the link to Node. Steps whose inputs have not changed are skipped, and every file is put in place by
// a rename, so builds may run side by side and tests may build as often as they like.

import { buildEngine } from './build/engine.mjs';
import { buildBundle } from './build/bundle.mjs';
import { generate } from './build/generate.mjs';
import { buildNative, checkToolchain, copyKoffi } from './build/native.mjs';
import { linkNode } from './build/node-link.mjs';
import { BuildError, prepareFolders, removeScratch } from './build/step.mjs';

try {
  prepareFolders();
  checkToolchain();
  generate();
  buildNative();
  copyKoffi();
  await buildBundle();
  buildEngine();
  linkNode();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`build: ${error.message}`);
  process.exitCode = 1;
} finally {
  removeScratch();
}
