import { configShape } from '../../build/validators/shapes.js';
import { validate } from '../../build/validators/config.js';
import { TsrunError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { stopAtError } from '../core/finding.ts';
import { inspect } from './inspect.ts';
import { mappedUser } from './rules/mappings.ts';
import { processRules } from './rules/of-process.ts';
import { nulBytes } from './rules/strings.ts';
import { schemaFinding } from './schema-error.ts';
import type { Config, Linux, Process } from './types.ts';

/**
 * Checks a process that is to join a container as validateConfig checks the one of a config: the schema, then
 * the rules about it. Properties that are null are removed from it. Pointers begin with `/process`.
 *
 * @param linux that of the container: it says which ids there are.
 * @returns the process and the warnings.
 * @throws TsrunError 'config', the first error.
 */
export function validateProcess(
  value: unknown,
  linux: Linux | undefined,
): { process: Process; warnings: Finding[] } {
  const warnings: Finding[] = [];
  const report = stopAtError(warnings);
  const candidate = { ociVersion: '1.0.0', process: value };
  inspect(candidate, configShape, report);
  if (!validate(candidate)) {
    for (const failure of validate.errors ?? []) report(schemaFinding(failure, candidate));
    throw new TsrunError('internal', 'the schema failed without an error');
  }
  // The schema has just said so.
  const process = candidate.process as Process;
  const config: Config = { ...candidate, process, ...(linux === undefined ? {} : { linux }) };
  nulBytes({ ...config, linux: {} }, report);
  for (const rule of [...processRules, mappedUser]) rule(config, report);
  return { process, warnings };
}
