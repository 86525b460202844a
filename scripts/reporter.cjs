// mocha's spec reporter, which also writes what ran to the file TSRUN_TEST_RESULTS names, so that a run of
// several suites can end with one sum, and prints the reason of each skipped test.

const { appendFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

class CountingReporter extends reporters.Spec {
  /** @param {import('mocha').Runner} runner @param {import('mocha').MochaOptions} options */
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const file = process.env['TSRUN_TEST_RESULTS'];
      if (file === undefined) return;
      const { passes, failures, pending } = this.stats;
      appendFileSync(file, `${JSON.stringify({ passes, failures, pending })}\n`);
    });
  }
}

module.exports = CountingReporter;
