import { TsrunError } from '../errors.ts';
import { configError } from '../spec/at.ts';
import type { ConfigSource } from '../spec/at.ts';

/** Runs a step whose errors name a property of the config, and adds to them where that is in the file. */
export function placed<T>(source: ConfigSource, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw withPlace(source, error);
  }
}

function withPlace(source: ConfigSource, error: unknown): unknown {
  if (!(error instanceof TsrunError) || error.pointer === undefined || error.pointer === '') return error;
  const { code, message, pointer, hint, errno, exitCode } = error;
  return configError(source, pointer, message, {
    code,
    exitCode,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(errno === undefined ? {} : { errno }),
  });
}
