import { configShape } from '#validators/shapes.js';
import { isObject } from '../core/is-object.ts';
import { TsrunError, withSource } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import type { Document, Source } from '../core/source.ts';
import { parseDocument } from '../config/bundle.ts';
import { normalize } from '../config/normalize.ts';
import type { Config, Process } from '../config/types.ts';
import { validateProcess } from '../config/validate.ts';
import { changeProcess, inheritProcess, knownCapabilities } from './exec-process.ts';
import type { ChangedBy, ProcessChanges } from './exec-process.ts';
import { readJsonDocument } from '../config/json-document.ts';
import type { JsonDocument } from '../config/json-document.ts';
import { storedConfig } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';

/** The process `exec` is asked for: that of a file, or the container's own, with changes. */
export interface ProcessRequest {
  /** A JSON file with a process as in config.json. */
  file?: string | undefined;
  changes: ProcessChanges;
}

export interface DrawnProcess {
  /** The container's config. */
  config: Config;
  process: Process;
  /** Where a part of the process was written: as a flag, in the file or in the container's config. */
  sourceOf: (pointer: string) => Source | undefined;
}

/** Reads and validates the process. What is odd but no reason to stop goes to `warn`. */
export function drawProcess(
  folder: ContainerFolder,
  { file, changes }: ProcessRequest,
  warn: Tell,
): DrawnProcess {
  const stored = storedConfig(folder);
  const config = parseDocument(stored.text, stored.file) as Config;
  // It was valid when the container was made, but for properties that are null.
  normalize(config, configShape, () => undefined);
  const own: Process = config.process ?? { cwd: '/' };
  const document = file === undefined ? undefined : readJsonDocument(file);
  if (document === undefined && changes.args.length === 0) {
    throw new TsrunError('usage', 'exec args cannot be empty', {
      hint: 'give the command after the container id, or --process FILE',
    });
  }
  const { process: base, inherited } =
    document === undefined
      ? { process: { ...own, terminal: false }, inherited: undefined }
      : inheritProcess(ofDocument(document, changes), own);
  const capabilities = knownCapabilities(changes.capabilities, warn);
  const changed = changeProcess(base, { ...changes, capabilities });
  const isOwn = (property: string): boolean => inherited?.has(property) ?? true;
  const sourceOf = sourceOfProcess(stored, document, changed.changedBy, isOwn);
  const { process, warnings } = withSource(sourceOf, () => validateProcess(changed.process, config.linux));
  for (const warning of warnings) {
    const { pointer } = warning;
    // What is odd about the container's own was said when it was made.
    if (flagOf(changed.changedBy, pointer) === undefined && isOwn(propertyOf(pointer))) continue;
    warn({ ...warning, source: sourceOf(pointer) });
  }
  return { config, process, sourceOf };
}

/** The process of a file, which may leave to the flags what they give. */
function ofDocument(document: JsonDocument, { args, cwd }: ProcessChanges): Process {
  const { value } = document;
  const complete = isObject(value)
    ? { ...value, ...(args.length === 0 ? {} : { args }), ...(cwd === undefined ? {} : { cwd }) }
    : value;
  // Only so much of it as changes rely on: warnings come when it is complete.
  return withSource(
    () => processDocument(document),
    () => validateProcess(complete, undefined).process,
  );
}

function sourceOfProcess(
  stored: Document,
  document: JsonDocument | undefined,
  changedBy: ChangedBy,
  isOwn: (property: string) => boolean,
): DrawnProcess['sourceOf'] {
  return (pointer) => {
    const flag = flagOf(changedBy, pointer);
    if (flag !== undefined) return flag === '' ? undefined : { flag };
    const isFiles = document !== undefined && /^\/process(\/|$)/.test(pointer) && !isOwn(propertyOf(pointer));
    return isFiles ? processDocument(document) : stored;
  };
}

/** Its root is the process. */
function processDocument({ file, text }: Document): Document {
  return { file, text, base: '/process' };
}

/** The flag that gave the value of `pointer`, or a value around it; '' for the command itself. */
function flagOf(changedBy: ChangedBy, pointer: string): string | undefined {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const flag = changedBy.get(at);
    if (flag !== undefined) return flag;
  }
  return undefined;
}

function propertyOf(pointer: string): string {
  return pointer.split('/')[2] ?? '';
}
