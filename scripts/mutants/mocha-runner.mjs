// mocha as a test runner of Stryker. Stryker's own asks for files inside mocha that mocha 12 does not have.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import Mocha from 'mocha';
import { PluginKind, commonTokens, declareClassPlugin, tokens } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  TestStatus,
  determineHitLimitReached,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';

/** @typedef {import('@stryker-mutator/api/test-runner').TestResult} TestResult */
/** @typedef {import('@stryker-mutator/api/test-runner').DryRunResult} DryRunResult */
/** @typedef {import('@stryker-mutator/api/test-runner').MutantRunOptions} MutantRunOptions */
/** @typedef {import('@stryker-mutator/api/core').InstrumenterContext} InstrumenterContext */
/** @typedef {{ [K in keyof InstrumenterContext]: InstrumenterContext[K] | undefined }} Context */

const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;

/** Runs the files that the option `testsOfRoom` names, again and again in one process. */
class MochaRunner {
  static inject = tokens(commonTokens.options);

  /** @param {import('@stryker-mutator/api/core').StrykerOptions} options */
  constructor(options) {
    this.mocha = new Mocha({ timeout: 0, reporter: 'min' });
    this.mocha.cleanReferencesAfterRun(false);
    for (const file of /** @type {string[]} */ (options['testsOfRoom'])) this.mocha.addFile(file);
    this.sources = /** @type {string[]} */ (options['sourcesOfRoom']);
    this.quick = options.ignoreStatic;
    this.loaded = false;
    /** What the instrumented code reads and writes. @type {Context} */
    this.context = /** @type {{ __stryker__?: Context }} */ (globalThis).__stryker__ ??= {};
    /** @type {string[] | undefined} */
    this.wanted = undefined;
    const { context } = this;
    this.mocha.suite.beforeEach(function () {
      context.currentTestId = this.currentTest?.fullTitle();
    });
  }

  capabilities() {
    // A module that was imported stays as it is. But when mutants of constants are left out, none is active
    // while modules are loaded, and there is nothing to load again.
    return { reloadEnvironment: this.quick };
  }

  /** @param {import('@stryker-mutator/api/test-runner').DryRunOptions} options @returns {Promise<DryRunResult>} */
  async dryRun({ disableBail }) {
    const result = await this.run(disableBail);
    const { mutantCoverage } = this.context;
    return result.status === DryRunStatus.Complete && mutantCoverage !== undefined
      ? { ...result, mutantCoverage }
      : result;
  }

  /** @param {MutantRunOptions} options */
  async mutantRun({ activeMutant, mutantActivation, testFilter, hitLimit, disableBail }) {
    this.context.hitLimit = hitLimit;
    this.context.hitCount = hitLimit === undefined ? undefined : 0;
    const titles = testFilter?.map((title) => title.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
    this.mocha.grep(new RegExp(titles === undefined ? '' : `^(?:${titles.join('|')})$`));
    // A constant of a module is made while the files are loaded.
    if (mutantActivation === 'static') this.context.activeMutant = activeMutant.id;
    return toMutantRunResult(await this.run(disableBail, activeMutant.id));
  }

  /** @param {boolean} disableBail @param {string} [mutant] @returns {Promise<DryRunResult>} */
  async run(disableBail, mutant) {
    try {
      if (!this.loaded) await this.load();
    } catch (error) {
      return { status: DryRunStatus.Error, errorMessage: String(error) };
    }
    this.loaded = true;
    this.context.activeMutant = mutant;
    setBail(this.mocha.suite, !disableBail);
    const tests = await this.runTests();
    const endless = determineHitLimitReached(this.context.hitCount, this.context.hitLimit);
    return endless ?? { status: DryRunStatus.Complete, tests };
  }

  /** All sources first: what a test imports later would look as if the test had run its constants. */
  async load() {
    for (const file of this.sources) await import(pathToFileURL(resolve(file)).href);
    await this.mocha.loadFilesAsync();
  }

  /** @returns {Promise<TestResult[]>} */
  runTests() {
    /** @type {TestResult[]} */
    const tests = [];
    return new Promise((resolve) => {
      this.mocha
        .run(() => {
          resolve(tests);
        })
        .on(EVENT_TEST_PASS, (test) => tests.push({ ...common(test), status: TestStatus.Success }))
        .on(EVENT_TEST_PENDING, (test) => tests.push({ ...common(test), status: TestStatus.Skipped }))
        // A hook that fails comes by here, too.
        .on(EVENT_TEST_FAIL, (test, error) =>
          tests.push({ ...common(test), status: TestStatus.Failed, failureMessage: String(error) }),
        );
    });
  }
}

/** @param {import('mocha').Runnable} test */
function common(test) {
  return { id: test.fullTitle(), name: test.fullTitle(), timeSpentMs: test.duration ?? 0 };
}

/** @param {import('mocha').Suite} suite @param {boolean} bail */
function setBail(suite, bail) {
  suite.bail(bail);
  for (const child of suite.suites) setBail(child, bail);
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'mocha', MochaRunner)];
const files = { type: 'array', items: { type: 'string' } };
export const strykerValidationSchema = { properties: { sourcesOfRoom: files, testsOfRoom: files } };
