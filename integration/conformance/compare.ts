import type { Outcome, Verdict } from './judge.ts';

/** What a test is expected to show. */
export interface Expectation {
  verdict: Verdict;
  /** For each thing it complains about a part of the text. Undefined when no one text can be told: any. */
  complaints?: readonly string[];
  /** Why it does not simply pass. */
  reason?: string;
  /** The test nearly always loses a race with itself: it may pass as well. */
  mayPass?: true;
  /** The test nearly always wins a race with itself: it is repeated when it does not pass. Says which race. */
  race?: string;
}

/** How an outcome differs from what is expected, better or worse; undefined when it does not. */
export function difference(outcome: Outcome, expected: Expectation | undefined): string | undefined {
  if (expected === undefined) return 'nobody expects this test';
  if (outcome.verdict === 'pass' && expected.mayPass === true) return undefined;
  if (outcome.verdict !== expected.verdict) {
    return [`${expected.verdict} was expected`, ...outcome.complaints].join('; ');
  }
  if (expected.complaints === undefined) return undefined;
  const known = expected.complaints;
  const unexpected = outcome.complaints.filter((text) => !known.some((part) => text.includes(part)));
  const missing = known.filter((part) => !outcome.complaints.some((text) => text.includes(part)));
  const parts = [
    ...unexpected.map((text) => `unexpected: ${text}`),
    ...missing.map((part) => `no longer said: ${part}`),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
