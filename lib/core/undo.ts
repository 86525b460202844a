import type { Notice } from './finding.ts';

interface Step {
  what: string;
  run: () => void;
  onSuccess: boolean;
  ifAllElse?: boolean;
}

/** What must be taken back or put away in the end, in reverse order. */
export class Undo {
  readonly #steps: Step[] = [];

  /** A step for when a later one fails. `what` is for the message when it fails itself: `remove the cgroups`. */
  onFailure(what: string, run: () => void): void {
    this.#steps.push({ what, run, onSuccess: false });
  }

  /** A step for either end: descriptors to close, a lock to release. */
  always(what: string, run: () => void): void {
    this.#steps.push({ what, run, onSuccess: true });
  }

  /** Puts away what was only needed on the way. Returns what failed. */
  succeed(): Notice[] {
    return this.#run(({ onSuccess }) => onSuccess);
  }

  /** Takes everything back, also when some steps fail. Returns what failed. */
  fail(): Notice[] {
    return this.#run(() => true);
  }

  /**
   * A step for when a later one fails, left out when taking back what came after has failed: the record of a
   * container is needed to clean up again.
   */
  onFailureLast(what: string, run: () => void): void {
    this.#steps.push({ what, run, onSuccess: false, ifAllElse: true });
  }

  #run(wanted: (step: Step) => boolean): Notice[] {
    const failures: Notice[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      if (!wanted(step) || (step.ifAllElse === true && failures.length > 0)) continue;
      try {
        step.run();
      } catch (error) {
        failures.push({ reason: `${step.what}: ${error instanceof Error ? error.message : String(error)}` });
      }
    }
    return failures;
  }
}
