import { TsrunError } from '../core/error.ts';
import type { Bundle } from '../config/bundle.ts';
import { isTerminal } from '../native/terminal.ts';

const noConsoleSocket = 'cannot allocate tty if runc will detach without setting console socket';
const needlessConsoleSocket = 'cannot use console socket if runc will not detach or allocate tty';

/**
 * Checks that process.terminal, the console socket and tsrun's own terminal fit together. Callers match the words of
 * runc.
 *
 * @param detach true for `create` and `run --detach`: tsrun does not stay to relay the terminal
 * @throws TsrunError 'config' or 'usage' when they do not
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
  // A program that edits its command line reads keys and would wait for ever.
  if (terminal && !detach && ![0, 1, 2].some(isTerminal)) {
    throw new TsrunError('config', 'asks for a terminal, but tsrun does not run on one', {
      pointer: '/process/terminal',
      source: bundle,
      hint: 'set process.terminal to false, or run tsrun on a terminal',
    });
  }
  if (consoleSocket !== undefined && !(terminal && detach)) {
    throw new TsrunError('usage', needlessConsoleSocket, {
      hint: 'leave out --console-socket, or set process.terminal to true',
    });
  }
}

/**
 * Checks that `exec --tty` and the console socket fit together.
 *
 * @throws TsrunError 'usage' when they do not
 */
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
