/** One `ok` or `not ok` line of a TAP stream, with what the YAML block below it says went wrong. */
export interface Assertion {
  ok: boolean;
  skipped: boolean;
  description: string;
  error?: string;
}

export interface Tap {
  assertions: Assertion[];
  /** The sum of all plans (a test may write several streams); undefined when there is none. */
  planned?: number;
  /** What YAML blocks that belong to no assertion say went wrong. */
  errors: string[];
}

const assertionLine = /^(not )?ok\b(?: +\d+)?(?: +-)? *(.*)$/;
const planLine = /^1\.\.(\d+)/;
const skip = /# *skip\b/i;

/**
 * Reads the Test Anything Protocol, version 13, as the suite writes it: plans come last, several streams may
 * follow each other, and YAML blocks hold JSON, in which a test quotes the output of a container.
 */
export function parseTap(text: string): Tap {
  const tap: Tap = { assertions: [], errors: [] };
  let last: Assertion | undefined;
  let block: string[] | undefined;
  for (const line of text.split('\n')) {
    if (block !== undefined) {
      if (line.trim() === '...') {
        note(tap, last, block.join('\n'));
        block = undefined;
      } else {
        block.push(line);
      }
      continue;
    }
    const plan = planLine.exec(line);
    const assertion = assertionLine.exec(line);
    if (line.trim() === '---') {
      block = [];
    } else if (plan !== null) {
      tap.planned = (tap.planned ?? 0) + Number(plan[1]);
      last = undefined;
    } else if (assertion !== null) {
      const description = assertion[2] ?? '';
      last = { ok: assertion[1] === undefined, skipped: skip.test(description), description };
      tap.assertions.push(last);
    }
  }
  return tap;
}

function note(tap: Tap, assertion: Assertion | undefined, block: string): void {
  const error = errorOf(block);
  if (error === undefined) return;
  if (assertion === undefined) tap.errors.push(error);
  else assertion.error = error;
}

/** What the runtime said, if it said something, is more telling than Go's "exit status 1". */
function errorOf(block: string): string | undefined {
  const { error, stderr } = fields(block);
  return [stderr, error].find((text) => typeof text === 'string' && text !== '') as string | undefined;
}

function fields(block: string): { error?: unknown; stderr?: unknown } {
  try {
    const value: unknown = JSON.parse(block);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
