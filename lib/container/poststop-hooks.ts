import { hookState } from './hook-state.ts';
import { ownEnvironment, runAllHooks } from './run-hooks.ts';
import type { TsrunError } from '../core/error.ts';
import type { ContainerRecord } from '../state/record.ts';

/**
 * Runs the poststop hooks. They are due for every container that had a process, also when `create` failed
 * later (runtime.md, "Lifecycle"). Returns their failures, which stop nothing.
 */
export function runPoststop(record: ContainerRecord): TsrunError[] {
  if (record.init === undefined) return [];
  const context = { state: hookState(record, 'stopped'), env: ownEnvironment() };
  return runAllHooks('poststop', record.hooks?.poststop, context);
}
