import type { HookKind } from './types.ts';

/** The kinds of hook, in the order in which they run (runtime.md, "Lifecycle"). */
export const hookKinds: readonly HookKind[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
];
