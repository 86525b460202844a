#!/usr/bin/env node
// Runs the unit tests: all of them, or the files, folders and patterns among the arguments. Everything else goes to
// mocha: `npm run test:unit -- lib/plan/mounts.test.ts -g nosuid`.

import { generate } from './build/generate.mjs';
import { prepareFolders, removeScratch } from './build/step.mjs';
import { runMocha, separate } from './mocha.mjs';

const all = ['lib', 'cmd', 'native-shim', 'scripts'].map((folder) => `${folder}/**/*.test.ts`);

prepareFolders();
generate();
removeScratch();
const { files, options } = separate(process.argv.slice(2));
process.exitCode = runMocha('unit', [
  ...options,
  ...(files.length > 0 ? files : [...all, 'integration/conformance/*.test.ts']),
]);
