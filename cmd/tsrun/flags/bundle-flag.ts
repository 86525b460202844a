import type { Flag, Positional } from '../command.ts';

/** The bundle, as every command takes it. */
export const bundleFlag = {
  kind: 'string',
  short: 'b',
  value: 'DIR',
  help: 'the bundle (default: the working directory)',
} as const satisfies Flag;

/** The commands that only look at a bundle also take it as their argument. */
export const bundleArgument = {
  // Not `bundle`: help would take it and the flag for one.
  name: 'bundle-dir',
  help: 'the same as --bundle',
  optional: true,
} as const satisfies Positional;
