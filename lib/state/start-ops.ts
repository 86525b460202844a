import { join } from 'node:path';
import { fileError } from '../core/error.ts';
import type { Plan } from '../plan/types.ts';
import type { Op } from '../plan/wire.ts';
import { startOpsFile } from './store.ts';
import { readStored, writeStored } from './store-files.ts';
import type { ContainerFolder } from './folder.ts';

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
  const ops = plan.ops.slice(first).map(forMessages);
  try {
    writeStored(folder, startOpsFile, JSON.stringify({ first, ops }, numbersAsText));
  } catch (error) {
    throw fileError(`write ${join(folder.path, startOpsFile)}`, error);
  }
}

/** The operation with this index in the plan; undefined when it is not one of those, or cannot be read. */
export function readStartOp(folder: ContainerFolder, index: number): Op | undefined {
  try {
    const found = readStored(folder, startOpsFile);
    if ('odd' in found) return undefined;
    const { first, ops } = JSON.parse(found.text) as StartOps;
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
