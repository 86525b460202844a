import type { Notice } from './finding.ts';

interface Step {
  what: string;
  run: () => void;
  onSuccess: boolean;
  onlyIfUndone?: boolean;
}

/** Steps that clean up when an operation has ended, in reverse order. */
export class Undo {
  readonly #steps: Step[] = [];

  /** A step to run when the operation fails. `what` is for the message when the step fails: `remove the cgroups`. */
  onFailure(what: string, run: () => void): void {
    this.#steps.push({ what, run, onSuccess: false });
  }

  /** A step to run in any case: to close a descriptor, to release a lock. */
  always(what: string, run: () => void): void {
    this.#steps.push({ what, run, onSuccess: true });
  }

  /** Runs the steps for success. Returns what failed. */
  succeed(): Notice[] {
    return this.#run(({ onSuccess }) => onSuccess);
  }

  /** Runs the steps for failure, all of them even when some fail. Returns what failed. */
  fail(): Notice[] {
    return this.#run(() => true);
  }

  /**
   * A step to run when the operation fails and all steps that were added later have succeeded: the record of a
   * container must stay while there is something left to clean up.
   */
  onFailureIfUndone(what: string, run: () => void): void {
    this.#steps.push({ what, run, onSuccess: false, onlyIfUndone: true });
  }

  #run(wanted: (step: Step) => boolean): Notice[] {
    const failures: Notice[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      if (!wanted(step) || (step.onlyIfUndone === true && failures.length > 0)) continue;
      try {
        step.run();
      } catch (error) {
        failures.push({ reason: `${step.what}: ${error instanceof Error ? error.message : String(error)}` });
      }
    }
    return failures;
  }
}
