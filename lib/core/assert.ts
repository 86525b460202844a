import { TsrunError } from './error.ts';

/**
 * Asserts something that the validation of a config has made sure of.
 *
 * @param pointer the JSON pointer of the property.
 * @throws TsrunError 'internal' when it does not hold.
 */
export function assertValid(condition: boolean, pointer: string): asserts condition {
  if (!condition) throw new TsrunError('internal', 'is not valid, and was not validated', { pointer });
}

/** The value, which a valid config has. @throws TsrunError 'internal' when it is undefined. */
export function validated<T>(value: T | undefined, pointer: string): T {
  assertValid(value !== undefined, pointer);
  return value;
}
