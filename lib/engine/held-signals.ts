import { TsrunError } from '../core/error.ts';
import { heldEndSignal, holdSignals, releaseSignals } from '../native/foreground.ts';
import { signalName } from '../host/signals.ts';

/**
 * Runs a step that a signal to tsrun must not end half-way: SIGTERM and the like are kept, and refuseEndSignal() ends
 * the step where all of it can be undone. `held`: they are kept already, and stay so.
 */
export function withHeldSignals<T>(held: boolean, step: () => T): T {
  if (held) return step();
  holdSignals();
  try {
    return step();
  } finally {
    releaseSignals();
  }
}

/** @throws TsrunError 'interrupted' when a signal that asks tsrun to end has come since signals are kept */
export function refuseEndSignal(): void {
  const signal = heldEndSignal();
  if (signal === undefined) return;
  const name = signalName(signal);
  throw new TsrunError('interrupted', `interrupted by ${name} before the program could run`, {
    exitCode: 128 + signal,
  });
}
