import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';

const enterNative: Native<[string, string, Int32Array]> = native(
  'int tsrun_enter_private(const char *, const char *, void *)',
);
const leaveNative: Native<[number, number]> = native('int tsrun_leave_private(int, int)');

/**
 * Takes a step in a mount namespace of its own (mount_namespaces(7)), in which `source` is bound to the directory
 * `target`; both absolute. A program started in it stays in it, and files opened in it are seen through its mounts;
 * tsrun is back where it was afterwards. The mount ends with whoever uses it, however that comes about.
 */
export function withPrivateBind<T>(source: string, target: string, step: () => T): T {
  const before = new Int32Array(2);
  const entered = enterNative(source, target, before);
  if (entered < 0) throw systemError(`bind ${source} to ${target} in a mount namespace of its own`, entered);
  try {
    return step();
  } finally {
    const [namespace = -1, cwd = -1] = before;
    returnTo(namespace, cwd);
  }
}

/** Throws when there is no way back: nothing is safe in the wrong namespace. */
function returnTo(namespace: number, cwd: number): void {
  const result = leaveNative(namespace, cwd);
  if (result < 0) throw systemError('return to the mount namespace', result);
}
