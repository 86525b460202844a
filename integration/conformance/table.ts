import type { Expectation } from './compare.ts';
import type { Outcome } from './judge.ts';

export interface Row {
  test: string;
  outcome: Outcome;
  seconds: number;
  expected: Expectation | undefined;
  /** How it differs from what is expected; undefined also when nothing is compared. */
  difference: string | undefined;
}

const widths = { test: 36, ok: 6, notOk: 8, skipped: 6, seconds: 7, verdict: 9, expected: 10 };

export const header = line('test', 'ok', 'not ok', 'skip', 'sec', 'verdict', 'expected', 'reason');

export function row({ test, outcome, seconds, expected, difference }: Row): string {
  return line(
    test,
    String(outcome.ok),
    String(outcome.notOk),
    String(outcome.skipped),
    seconds.toFixed(1),
    outcome.verdict,
    expected === undefined ? '-' : expected.mayPass === true ? `${expected.verdict}/pass` : expected.verdict,
    remark(outcome, expected, difference),
  );
}

function remark({ complaints }: Outcome, expected: Expectation | undefined, difference?: string): string {
  if (difference !== undefined) return `DIFFERENT: ${difference}`;
  return expected === undefined ? complaints.join('; ') : (expected.reason ?? '');
}

function line(
  test: string,
  ok: string,
  notOk: string,
  skipped: string,
  seconds: string,
  verdict: string,
  expected: string,
  reason: string,
): string {
  return [
    test.padEnd(widths.test),
    ok.padStart(widths.ok),
    notOk.padStart(widths.notOk),
    skipped.padStart(widths.skipped),
    seconds.padStart(widths.seconds),
    ` ${verdict.padEnd(widths.verdict)}`,
    expected.padEnd(widths.expected),
    reason,
  ]
    .join(' ')
    .trimEnd();
}

export interface Sum {
  passes: number;
  failures: number;
  pending: number;
}

/**
 * Without an expectation (`compared` false) by what the tests show alone. Otherwise a difference is a failure,
 * and what cannot pass, or shows only what is wrong with the test, counts as skipped.
 */
export function sum(rows: readonly Row[], compared: boolean): Sum {
  const failures = rows.filter(({ outcome, difference }) =>
    compared ? difference !== undefined : outcome.verdict === 'fail',
  );
  const passes = rows.filter(
    (entry) =>
      !failures.includes(entry) &&
      (entry.outcome.verdict === 'pass' || (compared && entry.outcome.verdict === 'weak' && clean(entry))),
  );
  return {
    passes: passes.length,
    failures: failures.length,
    pending: rows.length - passes.length - failures.length,
  };
}

/** A weak test whose complaints, if any, are those of a runtime that does what the test is about. */
function clean({ outcome }: Row): boolean {
  return outcome.complaints.length === 0;
}

export function closingLine({ passes, failures, pending }: Sum): string {
  return `${passes} passed, ${failures} failed, ${pending} skipped`;
}
