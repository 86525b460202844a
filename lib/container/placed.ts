import { TsrunError } from '../core/error.ts';
import { atConfig } from '../config/location.ts';
import type { ConfigSource } from '../config/location.ts';

/** Says `reason` of the property `pointer`, with the place where the user wrote it; one line, safe to print. */
export type Place = (pointer: string, reason: string) => string;

/** Places in a config file. */
export function placeIn(source: ConfigSource): Place {
  return (pointer, reason) => atConfig(source, pointer, reason);
}

/** Runs a step whose errors name a property of the config, and adds to them where that is in the file. */
export function placed<T>(source: ConfigSource, step: () => T): T {
  return placedBy(placeIn(source), step);
}

/** The same for properties that may come from elsewhere. */
export function placedBy<T>(place: Place, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw withPlace(place, error);
  }
}

function withPlace(place: Place, error: unknown): unknown {
  if (!(error instanceof TsrunError) || error.pointer === undefined || error.pointer === '') return error;
  const { code, message, pointer, hint, errno, exitCode } = error;
  return new TsrunError(code, place(pointer, message), {
    pointer,
    exitCode,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(errno === undefined ? {} : { errno }),
  });
}
