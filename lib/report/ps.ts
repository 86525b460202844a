import { spawnSync } from 'node:child_process';
import { errnoOrRethrow } from '../core/errno.ts';
import { systemError, TsrunError } from '../core/error.ts';
import { findContainer } from '../state/find-container.ts';
import { containerProcesses } from '../state/container-processes.ts';
import type { StateRoot } from '../state/state-root.ts';

/** Pids of a container's processes as the host numbers them, in rising order. None once it has stopped. */
export function listProcesses(root: StateRoot, id: string): number[] {
  const { record, status } = findContainer(root, id);
  return status === 'stopped' && record.ownPids ? [] : containerProcesses(record);
}

/** In bytes; far more than ps prints for all processes of a host. */
const maxOutput = 256 * 1024 * 1024;

/**
 * The lines that the host's ps(1) prints for these processes, with its header.
 *
 * @param options options for ps; `-ef` when there are none
 * @throws TsrunError 'system' when ps cannot be run; 'usage' when it does not take the options, or prints no pids
 */
export function processTable(pids: readonly number[], options: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync('ps', options.length === 0 ? ['-ef'] : options, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: maxOutput,
  });
  if (error !== undefined) {
    const errno = errnoOrRethrow(error);
    throw systemError('run ps', errno, { hint: 'install it (Debian: apt-get install procps)', cause: error });
  }
  if (status !== 0) {
    const said = [stderr, stdout].map((text) => text.trim()).find((text) => text !== '') ?? '';
    const line = said.replaceAll(/\s*\n\s*/g, '; ');
    throw new TsrunError('usage', `ps ended with ${status ?? 'a signal'}: ${line}`);
  }
  return selectLines(stdout, new Set(pids));
}

/** The header and the lines whose column PID is one of these. Pure. */
export function selectLines(table: string, pids: ReadonlySet<number>): string {
  const [header = '', ...lines] = table.split('\n');
  const column = fields(header).indexOf('PID');
  if (column < 0) {
    throw new TsrunError('usage', "couldn't find PID field in ps output", {
      hint: 'the options for ps must make it print a column PID with a header',
    });
  }
  const wanted = lines.filter((line) => pids.has(Number(fields(line)[column])));
  return [header, ...wanted].map((line) => `${line}\n`).join('');
}

function fields(line: string): string[] {
  return line.trim().split(/\s+/);
}
