import { closeSync, writeSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { warning } from '../core/finding.ts';
import { errnoOf, failedWith, ioError, openForWriting, readValue } from './files.ts';
import type { Journal } from './journal.ts';
import { doWithout } from './cgroups-path.ts';
import { refusal } from './write-error.ts';
import type { CgroupCheck, CgroupStep, CgroupWrite } from './cgroup-write.ts';

/** The container's directory for a controller; undefined when it has none. */
export type Locate = (controller: string) => string | undefined;

/**
 * Makes the writes. Throws at the first one the kernel refuses, and before any of them when the container
 * has no cgroup of a controller it needs. `journal` gets what the files said before.
 */
export function executeSteps(steps: readonly CgroupStep[], locate: Locate, journal?: Journal): Finding[] {
  for (const step of steps) directoryFor(step, locate);
  const warnings: Finding[] = [];
  const writer = new Writer(journal);
  const postponed: CgroupWrite[] = [];
  const run = (step: CgroupWrite): void => {
    const unused = writeStep(step, directoryFor(step, locate), writer);
    if (unused !== undefined) warnings.push(unused);
  };
  try {
    for (const [index, step] of steps.entries()) {
      if (step.step === 'check') {
        checkUsage(step, directoryFor(step, locate));
        continue;
      }
      try {
        run(step);
      } catch (error) {
        if (step.retry !== true || !(error instanceof TsrunError) || error.errno !== einval) throw error;
        postponed.push(step);
      }
      if (steps[index + 1]?.controller !== step.controller) postponed.splice(0).forEach(run);
    }
  } finally {
    writer.close();
  }
  return warnings;
}

const einval = 22;

/** Throws for a limit that nothing here can enforce. */
function directoryFor(step: CgroupStep, locate: Locate): string {
  const directory = locate(step.controller);
  if (directory !== undefined) return directory;
  throw noCgroup(step);
}

/** The error for a limit whose controller the container has no cgroup of. */
export function noCgroup({ controller, pointer }: CgroupStep): TsrunError {
  const otherwise = controller === 'devices' ? `. ${doWithout}` : ', or remove the limit.';
  return new TsrunError(
    'unsupported',
    `cannot set ${controller} limit: container could not join or create cgroup: ` +
      `it has none with the ${controller} controller`,
    { pointer, hint: `Mount the ${controller} controller where tsrun may write to it${otherwise}` },
  );
}

/** Makes one write; a warning when the kernel has no use for the value and that is no error. */
function writeStep(step: CgroupWrite, directory: string, writer: Writer): Finding | undefined {
  const { unused, pointer, alias } = step;
  for (const { file, value = step.value } of alias === undefined ? [step] : [step, alias]) {
    const path = `${directory}/${file}`;
    try {
      writer.write(step, path, value);
    } catch (error) {
      if (failedWith(error, 'ENOENT')) continue;
      const refused = failedWith(error, 'EOPNOTSUPP');
      if (refused && step.optional === true) return undefined;
      if (refused && unused !== undefined) return warning(pointer, unused.message);
      throw refusal(step, path, errnoOf(error));
    }
    if (unused === undefined) return undefined;
    return readValue(path) === unused.reads ? warning(pointer, unused.message) : undefined;
  }
  if (step.optional === true) return undefined;
  if (unused !== undefined) return warning(pointer, unused.message);
  throw refusal(step, `${directory}/${step.file}`, enoent);
}

const enoent = 2;

function checkUsage({ files, limit, pointer }: CgroupCheck, directory: string): void {
  const usage = files.reduce((sum, file) => sum + usageOf(`${directory}/${file}`), 0n);
  if (usage <= limit) return;
  const what = files.some((file) => /swap|memsw/.test(file)) ? 'memory+swap' : 'memory';
  throw new TsrunError('config', `rejecting ${what} limit ${String(limit)} < usage ${String(usage)}`, {
    pointer,
    hint: 'checkBeforeUpdate is set: the limit must not be lower than what is in use.',
  });
}

/** 0 where nothing is accounted: setting the limit itself will say so. */
function usageOf(path: string): bigint {
  try {
    return BigInt(readValue(path));
  } catch (error) {
    if (failedWith(error, 'ENOENT')) return 0n;
    throw ioError(`read ${path}`, error);
  }
}

/** Keeps the file it wrote last open: device rules are a dozen writes to the same one. */
class Writer {
  private path = '';
  private fd = -1;
  private readonly journal: Journal | undefined;

  constructor(journal: Journal | undefined) {
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
