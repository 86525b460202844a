import { configShape } from '../../build/validators/shapes.js';
import { validate } from '../../build/validators/config.js';
import { TsrunError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { stopAtError } from '../core/finding.ts';
import { inspect } from './inspect.ts';
import { resources as rule } from './rules/cgroup.ts';
import { nulBytes } from './rules/strings.ts';
import { schemaFinding } from './schema-error.ts';
import type { Config, Resources } from './types.ts';

/**
 * Checks new limits for a container as validateConfig checks those of a config: the schema, then the rules about
 * them. Properties that are null are removed. Pointers begin with `/linux/resources`.
 *
 * @throws TsrunError 'config', the first error.
 */
export function validateResources(value: unknown): { resources: Resources; warnings: Finding[] } {
  const warnings: Finding[] = [];
  const report = stopAtError(warnings);
  const candidate = { ociVersion: '1.0.0', linux: { resources: value } };
  inspect(candidate, configShape, report);
  if (!validate(candidate)) {
    for (const failure of validate.errors ?? []) report(schemaFinding(failure, candidate));
    throw new TsrunError('internal', 'the schema failed without an error');
  }
  // The schema has just said so.
  const config = candidate as Config;
  nulBytes(config, report);
  rule(config, report);
  return { resources: config.linux?.resources ?? {}, warnings };
}
