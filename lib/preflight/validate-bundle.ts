import type { CompileRequest } from '../container/create-request.ts';
import { type Bundle, readBundle } from '../config/bundle.ts';
import { TsrunError } from '../core/error.ts';
import { error, type Finding, isError } from '../core/finding.ts';
import { reportFindings } from '../config/validate.ts';
import { preflight } from './preflight.ts';

/**
 * Everything that is wrong or suspicious in the bundle: what the specification does not allow, and what this host
 * would refuse or ignore. Each finding has its source. Creates nothing.
 *
 * @throws TsrunError 'bundle' when there is no config.json to say something of.
 */
export function validateBundle(directory: string, request: CompileRequest): Finding[] {
  let bundle: Bundle;
  try {
    bundle = readBundle(directory);
  } catch (failure) {
    // Not JSON: that is a finding of its own.
    if (!(failure instanceof TsrunError) || failure.source === undefined) throw failure;
    const { reason, hint, source } = failure;
    return [{ ...error('', reason, hint), source }];
  }
  return allFindings(bundle, request).map((finding) => ({ ...finding, source: bundle }));
}

function allFindings(bundle: Bundle, request: CompileRequest): Finding[] {
  const known: Finding[] = [];
  if (!reportFindings(bundle, (finding) => void known.push(finding))) return known;
  return [
    ...known,
    ...preflight(bundle, request, !known.some(isError)).filter((finding) => isNews(finding, known)),
  ];
}

/** Drops a finding about a property that has one of the same severity, or that lies in one with an error. */
function isNews({ severity, pointer }: Finding, known: readonly Finding[]): boolean {
  return !known.some(
    (other) =>
      (other.pointer === pointer && other.severity === severity) ||
      (isError(other) && `${pointer}/`.startsWith(`${other.pointer}/`)),
  );
}
