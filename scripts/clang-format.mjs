#!/usr/bin/env node
// Formats the C files, or with --check only says which are not formatted.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { filesBelow, root } from './build/step.mjs';

const check = process.argv.includes('--check');
const files = ['native-shim', 'integration', 'bench'].flatMap((folder) =>
  filesBelow(join(root, folder), (name) => /\.[ch]$/.test(name)),
);

if (files.length > 0) {
  const how = check ? ['--dry-run', '--Werror'] : ['-i'];
  const { error, status } = spawnSync('clang-format', [...how, ...files], { stdio: 'inherit' });
  if (error === undefined) process.exitCode = status ?? 1;
  else
    console.warn('clang-format is not installed (apt-get install clang-format): the C files are not checked');
}
