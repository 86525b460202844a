import type { Draft } from './draft.ts';
import { controllingTerminal } from './visible-clone.ts';
import type { Op } from './wire.ts';

/**
 * The terminal (config.md, "Process": terminal, consoleSize), from the container's own devpts.
 *
 * @param mount it is the container's /dev/console as well.
 */
export function compileConsole(draft: Draft, { mount } = { mount: draft.ownMounts }): Op[] {
  const { process } = draft.config;
  if (process?.terminal !== true) return [];
  const { height = 0, width = 0 } = process.consoleSize ?? {};
  return [
    {
      op: 'console',
      origin: '/process/terminal',
      rows: height,
      columns: width,
      mount: mount ? 1 : 0,
    },
    ...controllingTerminal(!draft.visible),
  ];
}
