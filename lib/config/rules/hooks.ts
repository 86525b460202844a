import { error, type Report } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { hookKinds } from '../hook-kinds.ts';
import { hasNewNamespace, joinsNamespace } from '../namespaces.ts';
import type { Config } from '../types.ts';

/** config.md, "POSIX-platform Hooks". */
export function hooks({ hooks }: Config, report: Report): void {
  for (const kind of hookKinds) {
    for (const [i, { path }] of (hooks?.[kind] ?? []).entries()) {
      if (!path.startsWith('/'))
        report(error(pointerTo('/hooks', kind, i, 'path'), 'must be an absolute path'));
    }
  }
}

/**
 * createContainer hooks run with the host's files in reach, so no process of the container's pid namespace may see
 * them. One that is joined is entered after them, but with a new user namespace it can only be entered before.
 */
export function hooksInSight({ hooks, linux }: Config, report: Report): void {
  if ((hooks?.createContainer ?? []).length === 0 || !hasNewNamespace(linux, 'user')) return;
  if (!joinsNamespace(linux, 'pid')) return;
  report(
    error(
      '/hooks/createContainer',
      "would be seen, with the host's files, by the processes of the pid namespace that is joined, since the " +
        'container makes a user namespace',
      'Join the user namespace that the pid namespace belongs to, or use createRuntime hooks.',
    ),
  );
}
