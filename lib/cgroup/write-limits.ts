import { closeSync, writeSync } from 'node:fs';
import { errnoOrRethrow, errnos, hasErrno } from '../core/errno.ts';
import { fileError, TsrunError } from '../core/error.ts';
import { type Finding, warning } from '../core/finding.ts';
import { openForWriting, readValue } from './files.ts';
import type { WriteJournal } from './write-journal.ts';
import { runWithoutCgroups } from './cgroups-path.ts';
import { writeError } from './write-error.ts';
import type { CgroupStep, CgroupWrite, UsageCheck } from './cgroup-write.ts';

/** The container's directory for a controller; undefined when it has none. */
export type FindDirectory = (controller: string) => string | undefined;

/**
 * Writes limits to the files of the container's cgroups, and stops at the first one the kernel refuses. `journal` gets
 * what the files said before. Returns what the kernel ignores.
 * @throws TsrunError with the JSON pointer of the limit: 'unsupported', before the first write, when the container has
 *   no cgroup with its controller; else as writeError() says
 */
export function writeLimits(
  steps: readonly CgroupStep[],
  directoryOf: FindDirectory,
  journal?: WriteJournal,
): Finding[] {
  for (const step of steps) requireDirectory(step, directoryOf);
  const warnings: Finding[] = [];
  const writer = new Writer(journal);
  const postponed: CgroupWrite[] = [];
  const run = (step: CgroupWrite): void => {
    const ignored = writeStep(step, requireDirectory(step, directoryOf), writer);
    if (ignored !== undefined) warnings.push(ignored);
  };
  try {
    for (const [index, step] of steps.entries()) {
      if (step.step === 'check') {
        checkUsage(step, requireDirectory(step, directoryOf));
        continue;
      }
      try {
        run(step);
      } catch (error) {
        if (step.retry !== true || !(error instanceof TsrunError) || error.errno !== errnos.EINVAL)
          throw error;
        postponed.push(step);
      }
      if (steps[index + 1]?.controller !== step.controller) postponed.splice(0).forEach(run);
    }
  } finally {
    writer.close();
  }
  return warnings;
}

function requireDirectory(step: CgroupStep, directoryOf: FindDirectory): string {
  const directory = directoryOf(step.controller);
  if (directory !== undefined) return directory;
  throw noCgroup(step);
}

/** The error for a limit whose controller the container has no cgroup of. */
export function noCgroup({ controller, pointer }: CgroupStep): TsrunError {
  const otherwise = controller === 'devices' ? `. ${runWithoutCgroups}` : ', or remove the limit.';
  return new TsrunError(
    'unsupported',
    `cannot set ${controller} limit: container could not join or create cgroup: ` +
      `it has none with the ${controller} controller`,
    { pointer, hint: `Mount the ${controller} controller where tsrun may write to it${otherwise}` },
  );
}

/** Writes one limit. Returns a warning when the kernel ignores the value and that is no error. */
function writeStep(step: CgroupWrite, directory: string, writer: Writer): Finding | undefined {
  const { unused, pointer, alias } = step;
  for (const { file, value = step.value } of alias === undefined ? [step] : [step, alias]) {
    const path = `${directory}/${file}`;
    try {
      writer.write(step, path, value);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) continue;
      const refused = hasErrno(error, 'EOPNOTSUPP');
      if (refused && step.optional === true) return undefined;
      if (refused && unused !== undefined) return warning(pointer, unused.message);
      throw writeError(step, path, errnoOrRethrow(error));
    }
    if (unused === undefined) return undefined;
    return readValue(path) === unused.reads ? warning(pointer, unused.message) : undefined;
  }
  if (step.optional === true) return undefined;
  if (unused !== undefined) return warning(pointer, unused.message);
  throw writeError(step, `${directory}/${step.file}`, errnos.ENOENT);
}

function checkUsage({ files, limit, pointer }: UsageCheck, directory: string): void {
  const usage = files.reduce((sum, file) => sum + usageOf(`${directory}/${file}`), 0n);
  if (usage <= limit) return;
  const what = files.some((file) => /swap|memsw/.test(file)) ? 'memory+swap' : 'memory';
  throw new TsrunError('config', `rejecting ${what} limit ${String(limit)} < usage ${String(usage)}`, {
    pointer,
    hint: 'checkBeforeUpdate is set: the limit must not be lower than what is in use.',
  });
}

/** 0 where the kernel does not account it: writing the limit fails then, and says why. */
function usageOf(path: string): bigint {
  try {
    return BigInt(readValue(path));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 0n;
    throw fileError(`read ${path}`, error);
  }
}

/** Writes files, and keeps the last one open: the device rules are a dozen writes to the same file. */
class Writer {
  private path = '';
  private fd = -1;
  private readonly journal: WriteJournal | undefined;

  constructor(journal: WriteJournal | undefined) {
    this.journal = journal;
  }

  write(write: CgroupWrite, path: string, value: string): void {
    const written = this.journal?.prepare(write, path, value);
    if (path !== this.path) {
      this.close();
      this.fd = openForWriting(path);
      this.path = path;
    }
    writeSync(this.fd, value);
    written?.();
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
    this.path = '';
  }
}
