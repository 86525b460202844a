import { TsrunError } from '../core/error.ts';

export const sigkill = 9;

/** Signal names and numbers on Linux, as on x86 and ARM (signal(7)); aliases last. */
export const signalNumbers: ReadonlyMap<string, number> = new Map([
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGQUIT', 3],
  ['SIGILL', 4],
  ['SIGTRAP', 5],
  ['SIGABRT', 6],
  ['SIGBUS', 7],
  ['SIGFPE', 8],
  ['SIGKILL', sigkill],
  ['SIGUSR1', 10],
  ['SIGSEGV', 11],
  ['SIGUSR2', 12],
  ['SIGPIPE', 13],
  ['SIGALRM', 14],
  ['SIGTERM', 15],
  ['SIGSTKFLT', 16],
  ['SIGCHLD', 17],
  ['SIGCONT', 18],
  ['SIGSTOP', 19],
  ['SIGTSTP', 20],
  ['SIGTTIN', 21],
  ['SIGTTOU', 22],
  ['SIGURG', 23],
  ['SIGXCPU', 24],
  ['SIGXFSZ', 25],
  ['SIGVTALRM', 26],
  ['SIGPROF', 27],
  ['SIGWINCH', 28],
  ['SIGIO', 29],
  ['SIGPWR', 30],
  ['SIGSYS', 31],
  ['SIGIOT', 6],
  ['SIGCLD', 17],
  ['SIGPOLL', 29],
  ['SIGUNUSED', 31],
]);

/** SIGRTMIN is 34: the C library uses 32 and 33 itself. */
const rtMin = 34;
const rtMax = 64;

/**
 * The number of a signal as a user writes it: `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3`, `RTMAX-1`. 0 sends nothing
 * (kill(2)).
 * @throws TsrunError 'usage' when there is no such signal.
 */
export function parseSignal(text: string): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : numberOfName(text.toUpperCase());
  if (number === undefined || number > rtMax) {
    throw new TsrunError('usage', `unknown signal ${JSON.stringify(text)}`, {
      hint: 'Give a name (TERM, SIGTERM, RTMIN+1) or a number from 0 to 64.',
    });
  }
  return number;
}

function numberOfName(name: string): number | undefined {
  const full = name.startsWith('SIG') ? name : `SIG${name}`;
  const realTime = /^SIGRT(?:MIN(?:\+(\d{1,2}))?|MAX(?:-(\d{1,2}))?)$/.exec(full);
  if (realTime === null) return signalNumbers.get(full);
  const number = full.startsWith('SIGRTMIN')
    ? rtMin + Number(realTime[1] ?? 0)
    : rtMax - Number(realTime[2] ?? 0);
  return number >= rtMin && number <= rtMax ? number : undefined;
}

/** The name of a signal: `SIGTERM`, `SIGRTMIN+3`; `signal 0` and the like where there is none. */
export function signalName(number: number): string {
  for (const [name, value] of signalNumbers) if (value === number) return name;
  if (number === rtMin) return 'SIGRTMIN';
  return number > rtMin && number <= rtMax
    ? `SIGRTMIN+${String(number - rtMin)}`
    : `signal ${String(number)}`;
}
