import { configShape } from '../../build/validators/shapes.js';
import type { SchemaError } from '../../build/validators/config.js';
import { validate } from '../../build/validators/config.js';
import { TsrunError, withSource } from '../core/error.ts';
import type { Bundle } from './bundle.ts';
import type { Finding, Report } from '../core/finding.ts';
import { stopAtError, warning } from '../core/finding.ts';
import type { Inspection } from './inspect.ts';
import { inspect } from './inspect.ts';
import { countNames, duplicateNames } from './json/duplicates.ts';
import { rules } from './rules/index.ts';
import { nulBytes } from './rules/strings.ts';
import { schemaFinding } from './schema-error.ts';
import type { Config } from './types.ts';

/**
 * Checks the bundle's config: the schema, then the rules a schema cannot say (lib/config/rules). Properties
 * that are null are removed from it.
 *
 * @returns the warnings; the container can be made.
 * @throws TsrunError 'config', the first error.
 */
export function validateConfig(bundle: Bundle): { warnings: Finding[] } {
  const warnings: Finding[] = [];
  const report = stopAtError(warnings);
  withSource(
    () => bundle,
    () => {
      const inspection = inspect(bundle.config, configShape, report);
      if (validate(bundle.config)) checkRules(bundle, inspection, report);
      else reportSchemaErrors(bundle, validate.errors, report);
    },
  );
  return { warnings };
}

/** True for a config whose values have the types they should have; what it asks for may still be wrong. */
export function agreesWithSchema(config: unknown): config is Config {
  return validate(config);
}

export function reportSchemaErrors(
  { config }: Bundle,
  errors: readonly SchemaError[] | null | undefined,
  report: Report,
): void {
  if (errors === undefined || errors === null)
    throw new TsrunError('internal', 'the schema failed without an error');
  for (const failure of errors) report(schemaFinding(failure, config));
}

export function checkRules({ text, config }: Bundle, inspection: Inspection, report: Report): void {
  // JSON has a NUL only in this notation; reading every string is worth it only then.
  if (text.includes('\\u0000')) nulBytes(config, report);
  for (const rule of rules) rule(config, report);
  if (countNames(text) === inspection.names - inspection.backslashNames) return;
  for (const pointer of duplicateNames(text)) {
    report(warning(pointer, 'this property is given twice; the last one counts'));
  }
}
