/**
 * The conformance suite of the OCI against tsrun: `npm run conformance -- [options] [TEST...]`.
 *   --runtime PROGRAM   another runtime, by path or name (default $RUNTIME, then dist/tsrun)
 *   --no-compare        only show what the tests say; the exit status is 0 then
 *   --if-possible       on a machine that cannot build the suite, skip it
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { projectRoot } from '../harness/programs.ts';
import { difference, type Expectation } from './compare.ts';
import { expectations } from './expectations.ts';
import { readFacts } from './facts.ts';
import { judge } from './judge.ts';
import { perform, type Performance } from './perform.ts';
import { checkSpec } from './spec.ts';
import { makeStage, removeStage, type Stage } from './stage.ts';
import { installSuite, NoGo, type Suite, UnknownTest } from './suite.ts';
import { closingLine, header, row, type Row, sum, type Sum } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: 'string', default: process.env['RUNTIME'] ?? `${projectRoot}/dist/tsrun` },
    'no-compare': { type: 'boolean', default: false },
    'if-possible': { type: 'boolean', default: false },
  },
});

/** How often a test is run that can lose a race with itself. */
const triesOfRaces = 3;

try {
  await main(installSuite());
} catch (error) {
  if (!(error instanceof NoGo || error instanceof UnknownTest)) throw error;
  console.error(error.message);
  if (error instanceof NoGo && values['if-possible']) {
    close({ passes: 0, failures: 0, pending: expectations(readFacts()).size });
  } else {
    process.exitCode = 1;
  }
}

async function main(suite: Suite): Promise<void> {
  const compared = !values['no-compare'];
  const expected = compared ? expectations(readFacts()) : new Map<string, Expectation>();
  const stage = makeStage(suite, values.runtime);
  const rows: Row[] = [];
  console.log(header);
  try {
    for (const test of chosen(suite)) rows.push(await show(suite, stage, test, expected, compared));
    if (positionals.length === 0) rows.push(await specRow(suite, stage, compared));
  } finally {
    removeStage(stage);
  }
  if (positionals.length === 0) rows.push(...gone(suite, expected));
  const total = sum(rows, compared);
  close(total);
  if (compared && total.failures > 0) process.exitCode = 1;
}

function chosen({ tests }: Suite): string[] {
  const unknown = positionals.filter((name) => !tests.includes(name));
  if (unknown.length > 0) throw new UnknownTest(`the suite has no test called ${unknown.join(', ')}`);
  return positionals.length === 0 ? tests : positionals;
}

async function show(
  suite: Suite,
  stage: Stage,
  test: string,
  expected: ReadonlyMap<string, Expectation>,
  compared: boolean,
): Promise<Row> {
  const expectation = expected.get(test);
  const tries = expectation?.race === undefined ? 1 : triesOfRaces;
  for (let attempt = 1; ; attempt++) {
    const performed = await perform(suite, stage, test);
    const outcome = judge(performed.result);
    const different = compared ? difference(outcome, expectation) : undefined;
    const again = different !== undefined && attempt < tries;
    const shown = {
      test,
      outcome,
      seconds: performed.seconds,
      expected: expectation,
      difference: again ? `${different}; once more, this is a race: ${expectation?.race ?? ''}` : different,
    };
    console.log(row(shown));
    if (different !== undefined) console.log(details(performed));
    if (!again) return shown;
  }
}

/** All there is to know about a test that went another way than expected. */
function details({ result, calls, left }: Performance): string {
  const text = [
    '--- calls of the runtime',
    calls.trimEnd(),
    '--- stdout',
    result.stdout.trimEnd(),
    '--- stderr',
    result.stderr.trimEnd(),
    ...(left.length === 0 ? [] : ['--- left behind', ...left]),
    '---',
  ];
  return text.join('\n').replaceAll(/^/gm, '    ');
}

async function specRow(suite: Suite, stage: Stage, compared: boolean): Promise<Row> {
  const start = performance.now();
  const outcome = await checkSpec(suite, stage);
  const expected: Expectation | undefined = compared ? { verdict: 'pass', complaints: [] } : undefined;
  const shown = {
    test: 'oci-runtime-tool validate',
    outcome,
    seconds: (performance.now() - start) / 1000,
    expected,
    difference: compared ? difference(outcome, expected) : undefined,
  };
  console.log(row(shown));
  return shown;
}

/** Tests that are expected, but no longer part of the suite. */
function gone({ tests }: Suite, expected: ReadonlyMap<string, Expectation>): Row[] {
  const missing = [...expected].filter(([name]) => !tests.includes(name));
  return missing.map(([test, expectation]) => {
    const outcome = { verdict: 'fail', ok: 0, notOk: 0, skipped: 0, complaints: [] } as const;
    const shown: Row = {
      test,
      outcome: { ...outcome, complaints: [] },
      seconds: 0,
      expected: expectation,
      difference: 'the suite no longer has it',
    };
    console.log(row(shown));
    return shown;
  });
}

/** Ends with the one line that says it all, also for whoever adds up several suites. */
function close(total: Sum): void {
  const file = process.env['TSRUN_TEST_RESULTS'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(total)}\n`);
  console.log(`\n${closingLine(total)}`);
}
