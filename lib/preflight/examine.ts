import type { CompileRequest } from '../container/create-request.ts';
import { atConfig } from '../config/location.ts';
import type { Bundle } from '../config/bundle.ts';
import { DocumentError, readBundle } from '../config/bundle.ts';
import type { Finding } from '../core/finding.ts';
import { error, isError } from '../core/finding.ts';
import { locate } from '../config/json/locate.ts';
import type { Position } from '../config/json/locate.ts';
import { nulBytes } from '../config/rules/strings.ts';
import { agreesWithSchema, collectFindings } from '../config/validate.ts';
import { preflight } from './preflight.ts';

/** A finding and where it is in the file. */
export interface Placed extends Finding, Position {
  /** Place, property, value and reason in one line, safe to print. */
  text: string;
}

/**
 * Everything that is wrong or suspicious in the bundle, in the order of the file: what the specification does not
 * allow, and what this host would refuse or ignore. Creates nothing.
 *
 * @throws TsrunError 'bundle' when there is no config.json to say something of.
 */
export async function examine(directory: string, request: CompileRequest): Promise<Placed[]> {
  let bundle;
  try {
    bundle = readBundle(directory);
  } catch (failure) {
    if (!(failure instanceof DocumentError)) throw failure;
    const { position, reason, hint, message } = failure;
    return [{ ...error('', reason, hint), ...position, text: message }];
  }
  return (await allFindings(bundle, request))
    .map((finding) => place(bundle, finding))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

async function allFindings(bundle: Bundle, request: CompileRequest): Promise<Finding[]> {
  const known = await collectFindings(bundle);
  if (!agreesWithSchema(bundle.config) || hasNul(bundle)) return known;
  return [...known, ...preflight(bundle, request).filter((finding) => isNews(finding, known))];
}

/** A path with a NUL is none: nothing can be asked about it. */
function hasNul({ text, config }: Bundle): boolean {
  let found = false;
  // JSON has a NUL only in this notation.
  if (text.includes('\\u0000')) nulBytes(config, () => (found = true));
  return found;
}

/** Of what is an error already, or was said of the same property, nothing more is said. */
function isNews({ severity, pointer }: Finding, known: readonly Finding[]): boolean {
  return !known.some(
    (other) =>
      (other.pointer === pointer && other.severity === severity) ||
      (isError(other) && `${pointer}/`.startsWith(`${other.pointer}/`)),
  );
}

function place(bundle: Bundle, finding: Finding): Placed {
  const { pointer, reason } = finding;
  const { line, column } = locate(bundle.text, pointer);
  return { ...finding, line, column, text: atConfig(bundle, pointer, reason) };
}
