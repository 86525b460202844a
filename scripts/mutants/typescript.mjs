// The mutants of a room of TypeScript, by Stryker.

import { existsSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { filesBelow, root } from '../build/step.mjs';

/**
 * @param {string} name
 * @param {import('./rooms.mjs').TypeScriptRoom} room
 * @param {boolean} quick without the constants of modules
 * @returns {Promise<{ noticed: number, survived: number }>}
 */
export async function runTypeScript(name, { sources, tests, without = [] }, quick) {
  /** @param {string[]} names */
  const files = (names) =>
    names.flatMap(filesOf).filter((file) => !without.some((part) => file.includes(part)));
  const report = `build/mutants-${name}.json`;
  const mutate = files(sources).filter((file) => !/\.test|\/testing\//.test(file));
  const results = await new Stryker({
    mutate,
    ignorePatterns: ['/dist/tsrun-engine'],
    testRunner: 'mocha',
    plugins: [join(import.meta.dirname, 'mocha-runner.mjs')],
    sourcesOfRoom: mutate,
    testsOfRoom: files(tests).filter((file) => file.endsWith('.test.ts')),
    testRunnerNodeArgs: ['--import', 'tsx'],
    coverageAnalysis: 'perTest',
    ignoreStatic: quick,
    concurrency: 1,
    tempDirName: 'build/stryker',
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: report },
    warnings: false,
    logLevel: /** @type {import('@stryker-mutator/api/core').LogLevel} */ ('warn'),
  }).runMutationTest();
  const uncounted = ['Ignored', 'CompileError', 'RuntimeError'];
  const counted = results
    .filter(({ status }) => !uncounted.includes(status))
    // Made while the module was loaded, when no mutant was active yet.
    .filter((mutant) => !(quick && mutant.static === true));
  const survivors = counted.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  for (const { fileName, location, mutatorName, replacement = '' } of survivors) {
    const place = `${relative(root, fileName)}:${location.start.line}:${location.start.column}`;
    console.log(`survived: ${place} ${mutatorName}: ${replacement.replaceAll(/\s+/g, ' ').slice(0, 100)}`);
  }
  console.log(`the whole report: ${report}`);
  return { noticed: counted.length - survivors.length, survived: survivors.length };
}

/** The files of a folder, or of a file with or without its suffix. @param {string} source */
function filesOf(source) {
  const path = join(root, source);
  const files =
    existsSync(path) && statSync(path).isDirectory()
      ? filesBelow(path, (name) => name.endsWith('.ts'))
      : [path.endsWith('.ts') ? path : `${path}.ts`];
  return files.map((file) => relative(root, file));
}
