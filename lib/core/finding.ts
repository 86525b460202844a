import { TsrunError } from './error.ts';
import type { Source } from './source.ts';

/** Something to tell the user, as data. A TsrunError is one, too. */
export interface Notice {
  /** What is wrong, without the property's name and value: `must be an absolute path`. */
  reason: string;
  /** JSON pointer of the property that it is about. */
  pointer?: string | undefined;
  /** Where the user wrote that property. */
  source?: Source | undefined;
  /** What the user can do about it, one sentence. */
  hint?: string | undefined;
}

/** Takes one notice after another. */
export type Tell = (notice: Notice) => void;

/** What an operation says beside its result. Whoever calls it decides where that goes. */
export interface Sink {
  /** Odd, but no reason to stop. */
  warn: Tell;
  /** What hardly ever matters. */
  debug: Tell;
}

/** Adds to each notice where the user wrote the property that it is about. */
export function tellFrom(sourceOf: (pointer: string) => Source | undefined, tell: Tell): Tell {
  return (notice) => {
    const { pointer = '', source = pointer === '' ? undefined : sourceOf(pointer) } = notice;
    tell({ ...notice, source });
  };
}

/** Something a check has to say about one property of a config. */
export interface Finding extends Notice {
  /** An error stops `create`; a warning is logged. */
  severity: 'error' | 'warning';
  /** JSON pointer of the property, present or missing. */
  pointer: string;
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
    throw new TsrunError('config', reason, { pointer, hint });
  };
}
