import type { Result } from '../harness/run.ts';
import { type Assertion, parseTap, type Tap } from './tap.ts';

/** `weak`: the test ended well without a single assertion, so it shows little. */
export type Verdict = 'pass' | 'fail' | 'weak';

export interface Outcome {
  verdict: Verdict;
  ok: number;
  notOk: number;
  skipped: number;
  /** All that was found wrong and said about it, each once. None when the test passed. */
  complaints: string[];
}

/** What became of a test: its TAP, its exit status, and whether it came to its end. */
export function judge(result: Pick<Result, 'status' | 'stdout' | 'stderr' | 'timedOut'>): Outcome {
  const tap = parseTap(result.stdout);
  const failures = tap.assertions.filter(({ ok }) => !ok);
  const broken = breaks(result, tap);
  const verdict =
    failures.length + broken.length > 0 ? 'fail' : tap.assertions.length === 0 ? 'weak' : 'pass';
  const said = [...failures.map(complaint), ...tap.errors.map(oneLine), ...broken, ...words(result.stderr)];
  return {
    verdict,
    ok: tap.assertions.filter(({ ok, skipped }) => ok && !skipped).length,
    notOk: failures.length,
    skipped: tap.assertions.filter(({ ok, skipped }) => ok && skipped).length,
    // A test that passes has made the runtime fail on purpose: what it said then is no complaint.
    complaints: verdict === 'pass' ? [] : [...new Set(said)],
  };
}

/** A program in the container that died in the middle of its work leaves a stream without a plan. */
function breaks(result: Pick<Result, 'status' | 'timedOut'>, tap: Tap): string[] {
  const count = tap.assertions.length;
  if (result.timedOut) return ['it did not end in time'];
  if (result.status !== 0) return [`exit status ${result.status}`];
  if (tap.planned === undefined && count > 0) return [`it broke off after ${count} assertions`];
  if (tap.planned !== undefined && tap.planned !== count) return [`${count} of ${tap.planned} assertions`];
  return [];
}

function complaint({ description, error }: Assertion): string {
  return error === undefined ? description : `${description}: ${oneLine(error)}`;
}

/** What the suite writes besides the runtime's own words, and advice. */
const frame = /^(hint: .*|failed to (create|start|delete) the container|exit status \d+|Refer to: .*)$/;

function words(stderr: string): string[] {
  return stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !frame.test(line));
}

/** Without the link to the specification that closes the suite's errors. */
function oneLine(text: string): string {
  return text
    .replaceAll(/\n\s*Refer to: \S+/g, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, '; ');
}
