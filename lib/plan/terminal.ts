/** The session of the process and its terminal (config.md, "Process": terminal, consoleSize). */
import type { Draft } from './draft.ts';
import type { Op } from './wire.ts';

/** A session of its own. A terminal becomes that of the session. */
export function startSession({ config }: Draft): Op[] {
  return [{ op: 'newSession', origin: '' }, ...controllingTerminal(config.process?.terminal === true)];
}

function controllingTerminal(hasTerminal: boolean): Op[] {
  return hasTerminal ? [{ op: 'controllingTerminal', origin: '/process/terminal' }] : [];
}

/**
 * The terminal, from the container's own devpts.
 *
 * @param mount it is the container's /dev/console as well.
 */
export function compileTerminal(draft: Draft, { mount } = { mount: draft.ownMounts }): Op[] {
  const { process: processSpec } = draft.config;
  if (processSpec?.terminal !== true) return [];
  const { height = 0, width = 0 } = processSpec.consoleSize ?? {};
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
