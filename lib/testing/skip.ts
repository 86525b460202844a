import type { Context } from 'mocha';

/** Skips the test, or from a hook all of its suite, and has the reporter say why. */
export function skip(context: Context, reason: string): never {
  const { test } = context;
  const note = ` (skipped: ${reason})`;
  if (test !== undefined && 'type' in test && test.type === 'hook') {
    // The title of the suite is printed by now.
    test.parent?.eachTest((each) => (each.title += note));
  } else if (test !== undefined) {
    test.title += note;
  }
  context.skip();
}

/** Skips unless the tests run as root. */
export function needRoot(context: Context): void {
  if (process.geteuid?.() !== 0) skip(context, 'needs root');
}
