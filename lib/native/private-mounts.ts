import { call, checked } from './library.ts';

/**
 * Runs `step` in a mount namespace of its own (mount_namespaces(7)), in which the absolute path `source` is bound to
 * the directory `target`. A program started by `step` stays in that namespace, and files that it opens are seen
 * through its mounts. tsrun itself returns to its own namespace. The mount goes with its last user.
 *
 * @throws TsrunError 'system', also when there is no way back: nothing is safe in the wrong namespace.
 */
export function withPrivateBind<T>(source: string, target: string, step: () => T): T {
  const before = new Int32Array(2);
  checked(
    `bind ${source} to ${target} in a mount namespace of its own`,
    call('tsrun_enter_private', source, target, before),
  );
  try {
    return step();
  } finally {
    const [namespace = -1, cwd = -1] = before;
    checked('return to the mount namespace', call('tsrun_leave_private', namespace, cwd));
  }
}
