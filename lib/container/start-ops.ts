import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../errors.ts';
import type { Plan } from '../plan/types.ts';
import type { Op } from '../plan/wire.ts';
import { startOpsFile } from './store.ts';
import type { ContainerFolder } from './store.ts';

/**
 * The operations the init runs after `start`, so that `start` can say which of them failed. A failure of them
 * is rare, and the plan is gone by then: they are kept in a file of their own, read only in that case.
 */
interface StartOps {
  /** Index in the plan of the first one. */
  first: number;
  ops: Op[];
}

export function writeStartOps(folder: ContainerFolder, plan: Plan): void {
  const first = plan.ops.findIndex(({ op }) => op === 'waitStart');
  if (first < 0) return;
  const path = join(folder.path, startOpsFile);
  const ops = plan.ops.slice(first).map(forMessages);
  try {
    writeFileSync(path, JSON.stringify({ first, ops }, numbersAsText), { mode: 0o600 });
  } catch (error) {
    throw fileError(`write ${path}`, error);
  }
}

/** The operation with this index in the plan; undefined when it is not one of those, or cannot be read. */
export function readStartOp(folder: ContainerFolder, index: number): Op | undefined {
  try {
    const { first, ops } = JSON.parse(readFileSync(join(folder.path, startOpsFile), 'utf8')) as StartOps;
    return ops[index - first];
  } catch {
    // Without it the message is shorter; the failure itself is what the user must hear of.
    return undefined;
  }
}

/** Environments are long, and may hold secrets, and filters are long: no message needs them. */
function forMessages(op: Op): Op {
  if ('env' in op) return { ...op, env: [] };
  return op.op === 'seccomp' ? { ...op, program: new Uint8Array() } : op;
}

function numbersAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
