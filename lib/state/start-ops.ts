import { join } from 'node:path';
import { fileError } from '../core/error.ts';
import type { Plan } from '../plan/types.ts';
import type { Op } from '../plan/wire.ts';
import { startOpsFile } from './store.ts';
import { readStored, writeStored } from './store-files.ts';
import type { ContainerFolder } from './folder.ts';

/**
 * The operations that the init runs after `start`: start-ops.json in the container's folder. `start` reads it only
 * when one of them has failed, to say which.
 */
interface StartOps {
  /** Index of the first one in the plan. */
  first: number;
  ops: Op[];
}

/** Writes start-ops.json, unless the init does not wait for `start`. */
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

/** The operation with this index in the plan; undefined when it does not run after `start`, or cannot be read. */
export function readStartOp(folder: ContainerFolder, index: number): Op | undefined {
  try {
    const found = readStored(folder, startOpsFile);
    if ('notOurs' in found) return undefined;
    const { first, ops } = JSON.parse(found.text) as StartOps;
    return ops[index - first];
  } catch {
    // The message is shorter without the operation. An error here would hide the failure of the init.
    return undefined;
  }
}

/** Leaves out what no message needs: environments, which may hold secrets, and filters, which are long. */
function forMessages(op: Op): Op {
  if ('env' in op) return { ...op, env: [] };
  return op.op === 'seccomp' ? { ...op, program: new Uint8Array() } : op;
}

function numbersAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
