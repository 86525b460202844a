import { configShape, type Shape } from '#validators/shapes.js';
import * as schema from '#validators/config.js';
import type { Validator } from '#validators/config.js';
import { TsrunError, withSource } from '../core/error.ts';
import type { Bundle } from './bundle.ts';
import { type Finding, type Report, stopAtError, warning } from '../core/finding.ts';
import { pointerTo } from '../core/pointer.ts';
import { duplicateNames } from './json/parse.ts';
import { normalize } from './normalize.ts';
import { checkConfig, checkProcess } from './rules/all-rules.ts';
import { resources as checkResources } from './rules/cgroup.ts';
import { hasNul } from './rules/strings.ts';
import { schemaFinding } from './schema-error.ts';
import type { Linux, Process, Resources } from './types.ts';

/**
 * Checks the bundle's config: the schema, then the rules a schema cannot say (lib/config/rules). Properties
 * that are null are removed from it.
 *
 * @returns the warnings; the container can be made.
 * @throws TsrunError 'config', the first error.
 */
export function validateConfig(bundle: Bundle): { warnings: Finding[] } {
  const warnings: Finding[] = [];
  withSource(
    () => bundle,
    () => reportFindings(bundle, stopAtError(warnings)),
  );
  return { warnings };
}

/**
 * Reports all there is to say about a config, errors and warnings. Rules are asked only when the config agrees with
 * the schema: before that its types are not what they say.
 *
 * @returns true when the config agrees with the schema and its strings can be given to the kernel.
 */
export function reportFindings({ text, config }: Bundle, report: Report): boolean {
  const duplicates = duplicateNames(text, config);
  if (!agrees(config, schema.validate, [], report)) return false;
  // JSON has a NUL only in this notation; reading every string is worth it only then.
  const usable = !text.includes('\\u0000') || !hasNul(config, '', report);
  checkConfig(config, report);
  for (const pointer of duplicates) {
    report(warning(pointer, 'this property is given twice; the last one counts'));
  }
  return usable;
}

/**
 * Checks a process that is to join a container as validateConfig checks the one of a config. Properties that are null
 * are removed from it. Pointers begin with `/process`.
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
  const processSpec = validPart(value, schema.validateProcess, ['process'], report) as Process;
  checkProcess(processSpec, linux, report);
  return { process: processSpec, warnings };
}

/**
 * Checks new limits for a container as validateConfig checks those of a config. Properties that are null are removed.
 * Pointers begin with `/linux/resources`.
 *
 * @throws TsrunError 'config', the first error.
 */
export function validateResources(value: unknown): { resources: Resources; warnings: Finding[] } {
  const warnings: Finding[] = [];
  const report = stopAtError(warnings);
  const resources = validPart(
    value ?? {},
    schema.validateResources,
    ['linux', 'resources'],
    report,
  ) as Resources;
  checkResources(resources, report);
  return { resources, warnings };
}

/** @throws what `report` throws for an error. */
function validPart(value: unknown, validator: Validator, at: readonly string[], report: Report): unknown {
  agrees(value, validator, at, report);
  hasNul(value, pointerTo('', ...at), report);
  return value;
}

/** Whether the value agrees with its schema. */
function agrees(value: unknown, validator: Validator, at: readonly string[], report: Report): boolean {
  if (!normalize(value, shapeAt(at), report, at)) return false;
  const pointer = pointerTo('', ...at);
  if (validator(value, { instancePath: pointer })) return true;
  const failures = validator.errors ?? [];
  if (failures.length === 0) throw new TsrunError('internal', 'the schema failed without an error');
  for (const failure of failures) report(schemaFinding(failure, value, pointer));
  return false;
}

function shapeAt(at: readonly string[]): Shape | null {
  return at.reduce<Shape | null>((shape, name) => shape?.properties?.[name] ?? null, configShape);
}
