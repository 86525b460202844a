/** Files and directories of resctrl. The kernel explains a refusal in `info/last_cmd_status`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../core/errno.ts';
import { fileError } from '../core/error.ts';

/**
 * Makes a class or a monitoring group. `root` is where resctrl is mounted.
 * @throws TsrunError 'system' with `pointer`, the property of the config it is for
 */
export function makeGroup(root: string, directory: string, pointer: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    throw refused(root, `make ${directory}`, error, pointer);
  }
}

/**
 * Writes one line, which is one command for the kernel.
 * @throws TsrunError 'system' with `pointer`
 */
export function writeGroupFile(root: string, path: string, text: string, pointer: string): void {
  try {
    // One write(2) a line: last_cmd_status is about the last one.
    writeFileSync(path, text, { flag: 'a' });
  } catch (error) {
    throw refused(root, `write ${path}`, error, pointer);
  }
}

/** @throws TsrunError 'system' with `pointer` */
export function readGroupFile(path: string, pointer: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(`read ${path}`, error, { pointer });
  }
}

function refused(root: string, what: string, error: unknown, pointer: string): unknown {
  const why = lastStatus(root);
  const hint = hasErrno(error, 'ENOSPC') ? 'the hardware has no more classes or groups' : why;
  return fileError(what, error, { pointer, hint });
}

function lastStatus(root: string): string | undefined {
  try {
    const text = readFileSync(join(root, 'info', 'last_cmd_status'), 'utf8').trim();
    return text === '' || text === 'ok' ? undefined : `the kernel says: ${text}`;
  } catch {
    return undefined;
  }
}
