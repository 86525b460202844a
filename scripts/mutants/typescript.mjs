// The mutants of a room of TypeScript, by Stryker.

import { existsSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { filesBelow, root } from '../build/step.mjs';

/**
 * @param {string} name
 * @param {import('./rooms.mjs').TypeScriptRoom} room
 * @param {boolean} quick without the constants of modules
 * @returns {Promise<{ noticed: number, survivors: string[] }>}
 */
export async function runTypeScript(name, { sources, tests, without = [] }, quick) {
  const report = `build/mutants-${name}.json`;
  const results = await new Stryker({
    mutate: sources.flatMap((source) => filesOf(source, (file) => !/\.test|\/testing\//.test(file))),
    ignorePatterns: ['/dist/tsrun-engine'],
    testRunner: 'mocha',
    plugins: [join(import.meta.dirname, 'mocha-runner.mjs')],
    testFilesOfRoom: tests.flatMap((test) =>
      filesOf(test, (file) => file.endsWith('.test.ts') && !without.includes(basename(file))),
    ),
    testRunnerNodeArgs: ['--import', 'tsx'],
    coverageAnalysis: 'perTest',
    ignoreStatic: quick,
    concurrency: 1,
    tempDirName: 'build/stryker',
    reporters: ['json'],
    jsonReporter: { fileName: report },
    warnings: false,
    logLevel: 'warn',
  }).runMutationTest();
  const counted = results.filter(
    ({ status }) => !['Ignored', 'CompileError', 'RuntimeError'].includes(status),
  );
  const survivors = counted.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  console.log(`the whole report: ${report}`);
  return {
    noticed: counted.length - survivors.length,
    survivors: survivors.map(({ fileName, location, mutatorName, replacement }) => {
      const place = `${relative(root, fileName)}:${location.start.line}:${location.start.column}`;
      return `${place} ${mutatorName}: ${(replacement ?? '').replaceAll(/\s+/g, ' ').slice(0, 100)}`;
    }),
  };
}

/** The wanted files of a folder, or of a file with or without its suffix. @param {string} source @param {(file: string) => boolean} wanted */
function filesOf(source, wanted) {
  const path = join(root, source);
  const files =
    existsSync(path) && statSync(path).isDirectory()
      ? filesBelow(path, (name) => name.endsWith('.ts'))
      : [path.endsWith('.ts') ? path : `${path}.ts`];
  return files.map((file) => relative(root, file)).filter(wanted);
}
