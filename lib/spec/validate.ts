import { configShape } from '../../build/validators/shapes.js';
import { validate } from '../../build/validators/config.js';
import { configError } from './at.ts';
import type { Bundle } from './bundle.ts';
import type { Finding } from './finding.ts';
import { warning } from './finding.ts';
import type { Inspection } from './inspect.ts';
import { inspect } from './inspect.ts';
import { countNames, duplicateNames } from './json/duplicates.ts';
import { rules } from './rules/index.ts';
import { nulBytes } from './rules/strings.ts';
import { schemaFinding } from './schema-error.ts';

/**
 * Checks the bundle's config: the schema, then the rules a schema cannot say (lib/spec/rules). Properties
 * that are null are removed from it.
 *
 * @returns the warnings; the container can be made.
 * @throws TsrunError 'config', the first error.
 */
export function validateConfig(bundle: Bundle): { warnings: Finding[] } {
  const warnings: Finding[] = [];
  for (const finding of findings(bundle)) {
    if (finding.severity === 'warning') {
      warnings.push(finding);
      continue;
    }
    const { pointer, reason, hint } = finding;
    throw configError(bundle, pointer, reason, hint === undefined ? {} : { hint });
  }
  return { warnings };
}

function* findings(bundle: Bundle): Iterable<Finding> {
  const inspection = inspect(bundle.config, configShape);
  yield* inspection.findings;
  if (!validate(bundle.config)) {
    for (const failure of validate.errors ?? []) yield schemaFinding(failure, bundle.config);
    return;
  }
  yield* ruleFindings(bundle, inspection);
}

/**
 * Everything there is to say about a config, errors and warnings. Rules are asked only when the config
 * agrees with the schema: before that its types are not what they say.
 */
export async function collectFindings(bundle: Bundle): Promise<Finding[]> {
  const inspection = inspect(bundle.config, configShape);
  const all = [...inspection.findings];
  const tooDeep = all.some(({ severity }) => severity === 'error');
  if (tooDeep) return all;
  const { validate: validateAll } = await import('../../build/validators/config-all.js');
  if (!validateAll(bundle.config)) {
    return [...all, ...(validateAll.errors ?? []).map((failure) => schemaFinding(failure, bundle.config))];
  }
  return [...all, ...ruleFindings(bundle, inspection)];
}

function* ruleFindings({ text, config }: Bundle, inspection: Inspection): Iterable<Finding> {
  // JSON has a NUL only in this notation; reading every string is worth it only then.
  if (text.includes('\\u0000')) yield* nulBytes(config);
  for (const rule of rules) yield* rule(config);
  if (countNames(text) !== inspection.names - inspection.backslashNames) {
    for (const pointer of duplicateNames(text)) {
      yield warning(pointer, 'this property is given twice; the last one counts');
    }
  }
}
