import type { Flag } from '../command.ts';

/** The flag of commands that print in a form for people, `usual`, or as JSON; `json` says what that holds. */
export function formatFlag(usual: 'table' | 'text', json = ''): Flag & { kind: 'string' } {
  return {
    kind: 'string',
    short: 'f',
    value: 'FORMAT',
    choices: [usual, 'json'],
    help: `${usual} (default) or json${json === '' ? '' : `: ${json}`}`,
  };
}
