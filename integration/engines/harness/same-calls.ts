import { expect } from 'chai';
import type { Call } from './recorder.ts';

/**
 * What of a call has to be the same with every runtime: the arguments, the exit status, what is on stdout, the
 * form of the pid file, the containers there are afterwards, and whether there were errors, told apart as
 * engines tell them apart.
 */
export interface Answer {
  call: string;
  status: number;
  stdout: string;
  pidFile: string | undefined;
  containers: string[];
  errors: string[];
}

// What containerd and podman search for in a runtime's messages.
const phrases = [
  'does not exist',
  'container not running',
  'process already finished',
  'no such process',
  'executable file not found',
  'no such file or directory',
  'permission denied',
  'already exists',
];

/** `names` are the words that differ between runs by nature: folders, container ids, runtimes. */
export function answers(calls: readonly Call[], names: Record<string, string>): Answer[] {
  const plain = (text: string): string => neutral(text, names);
  return withoutPolling(calls).map((call) => ({
    call: plain(call.args.join(' ')),
    status: call.status,
    stdout: plain(stdoutOf(call)),
    pidFile: call.pidFile?.replace(/^\d+$/, 'PID'),
    containers: call.containers.map(plain),
    errors: errorsOf(call),
  }));
}

/** buildah asks for the state again and again until the container has ended: only the last answer counts. */
function withoutPolling(calls: readonly Call[]): Call[] {
  return calls.filter(({ command }, index) => command !== 'state' || calls[index + 1]?.command !== 'state');
}

/** The state without what depends on the moment. */
function timeless(state: string): string {
  return state
    .replace(/"pid": ?\d+/, '"pid":PID')
    .replace(/"status": "(running|stopped)"/, '"status":STATUS');
}

/** Checks the calls of one life one by one. */
export function expectSameCalls(ours: readonly Answer[], theirs: readonly Answer[]): void {
  expect(ours.map(({ call }) => call)).to.deep.equal(theirs.map(({ call }) => call));
  for (const [index, answer] of ours.entries()) expect(answer).to.deep.equal(theirs[index]);
}

function stdoutOf({ command, stdout }: Call): string {
  if (command === '--version') return versionKeys(stdout);
  return command === 'state' ? timeless(stdout) : stdout;
}

function neutral(text: string, names: Record<string, string>): string {
  let result = text;
  for (const [word, label] of Object.entries(names)) result = result.replaceAll(word, label);
  return result
    .replace(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)/g, 'TIME')
    .replace(/(exec-process-|runc-process|pty|fifo|\/podman|buildah)\d+/g, '$1N')
    .replace(/(conmon-term\.)\w+/g, '$1N')
    .replace(/"pid": ?[1-9]\d*/g, '"pid":PID')
    .replace(/^\[[\d,]+\]$/m, (pids) => pids.replace(/\d+/g, 'PID'));
}

/** The first word or words of each line: numbers of versions differ. */
function versionKeys(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/^\S+ version.*/, 'NAME version').replace(/:.*/, ':'))
    .filter((line) => /^(NAME version|commit:|spec:)$/.test(line))
    .join('\n');
}

function errorsOf({ status, errors }: Call): string[] {
  if (status === 0) return [];
  const found = phrases.filter((phrase) => errors.some((error) => error.toLowerCase().includes(phrase)));
  return found.length > 0 ? found : errors.length > 0 ? ['another error'] : [];
}
