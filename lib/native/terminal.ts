import { call, checked } from './library.ts';

/** isatty(3), without node:tty, which loads node's networking. */
export function isTerminal(fd: number): boolean {
  return call('tsrun_is_terminal', fd) === 1;
}

/**
 * Gives the pty `master` the size of tsrun's terminal, if tsrun has one. foreground() does the same, but only after
 * the program has started and may have asked for the size.
 *
 * @throws TsrunError 'system'
 */
export function copyTerminalSize(master: number): void {
  checked('set the size of the terminal', call('tsrun_copy_terminal_size', master));
}
