import { validate } from '../../build/validators/config-all.js';
import { configShape } from '../../build/validators/shapes.js';
import type { Finding, Report } from '../core/finding.ts';
import type { Bundle } from './bundle.ts';
import { inspect } from './inspect.ts';
import { checkRules, reportSchemaErrors } from './validate.ts';

/**
 * Everything there is to say about a config, errors and warnings. Rules are asked only when the config
 * agrees with the schema: before that its types are not what they say.
 */
export function collectFindings(bundle: Bundle): Finding[] {
  const findings: Finding[] = [];
  const report: Report = (finding) => void findings.push(finding);
  const inspection = inspect(bundle.config, configShape, report);
  if (inspection.tooDeep) return findings;
  if (validate(bundle.config)) checkRules(bundle, inspection, report);
  else reportSchemaErrors(bundle, validate.errors, report);
  return findings;
}
