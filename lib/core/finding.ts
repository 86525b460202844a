import { TsrunError } from './error.ts';

/** Something a check has to say about one property of a config. */
export interface Finding {
  /** An error stops `create`; a warning is logged. */
  severity: 'error' | 'warning';
  /** JSON pointer of the property, present or missing. */
  pointer: string;
  /** What is wrong, without the property's name and value: `must be an absolute path`. */
  reason: string;
  /** What the user can do about it, one sentence. */
  hint?: string;
}

export function error(pointer: string, reason: string, hint?: string): Finding {
  return { severity: 'error', pointer, reason, ...(hint === undefined ? {} : { hint }) };
}

export function warning(pointer: string, reason: string, hint?: string): Finding {
  return { severity: 'warning', pointer, reason, ...(hint === undefined ? {} : { hint }) };
}

export function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

/** Takes one finding after another. */
export type Report = (finding: Finding) => void;

/** Collects warnings and throws at the first error, 'config' with its pointer. */
export function stopAtError(warnings: Finding[]): Report {
  return (finding) => {
    if (finding.severity === 'warning') {
      warnings.push(finding);
      return;
    }
    const { pointer, reason, hint } = finding;
    throw new TsrunError('config', reason, { pointer, ...(hint === undefined ? {} : { hint }) });
  };
}
