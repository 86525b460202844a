import { TsrunError } from '../core/error.ts';
import type { Bundle } from '../config/bundle.ts';

const noConsoleSocket = 'cannot allocate tty if runc will detach without setting console socket';
const needlessConsoleSocket = 'cannot use console socket if runc will not detach or allocate tty';

/**
 * Checks that the terminal the config asks for and --console-socket fit together. The words are those callers
 * know from runc.
 *
 * @param detach nobody stays to hold the terminal: `create`, or `run --detach`.
 */
export function checkTerminal(bundle: Bundle, consoleSocket: string | undefined, detach: boolean): void {
  const terminal = bundle.config.process?.terminal === true;
  if (terminal && detach && consoleSocket === undefined) {
    throw new TsrunError('config', noConsoleSocket, {
      pointer: '/process/terminal',
      source: bundle,
      hint: 'give --console-socket PATH, or set process.terminal to false',
    });
  }
  if (consoleSocket !== undefined && !(terminal && detach)) {
    throw new TsrunError('usage', needlessConsoleSocket, {
      hint: 'leave out --console-socket, or set process.terminal to true',
    });
  }
}

/** The same for `exec`. */
export function checkExecTerminal(
  terminal: boolean,
  consoleSocket: string | undefined,
  detach: boolean,
): void {
  if (terminal && detach && consoleSocket === undefined) {
    throw new TsrunError('usage', noConsoleSocket, {
      hint: 'give --console-socket PATH, or leave out --tty',
    });
  }
  if (consoleSocket !== undefined && !(terminal && detach)) {
    throw new TsrunError('usage', needlessConsoleSocket, {
      hint: 'leave out --console-socket, or give --tty and --detach',
    });
  }
}
