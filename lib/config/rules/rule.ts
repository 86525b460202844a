import type { Report } from '../../core/finding.ts';
import type { Config } from '../types.ts';

/** One thing the specification or the kernel demands of a config that agrees with the schema. */
export type Rule = (config: Config, report: Report) => void;
