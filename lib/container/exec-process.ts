import { TsrunError, withSource } from '../core/error.ts';
import type { Tell } from '../core/finding.ts';
import { isObject } from '../core/is-object.ts';
import { pointerSegments } from '../core/pointer.ts';
import type { Document, Source } from '../core/source.ts';
import type { Config, Process } from '../config/types.ts';
import { validateProcess } from '../config/validate.ts';
import {
  type ChangedBy,
  changeProcess,
  inheritProcess,
  knownCapabilities,
  type ProcessChanges,
} from './exec-process-changes.ts';
import { type JsonDocument, readJsonDocument } from '../config/json-document.ts';
import { storedConfig } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';
import { parseStoredConfig } from '../state/stored-config.ts';

/** Which process `exec` runs: that of a file, or the container's own one, with changes. */
export interface ProcessRequest {
  /** A JSON file with a process as in config.json. */
  file?: string | undefined;
  changes: ProcessChanges;
}

export interface ExecProcess {
  /** The container's config. */
  config: Config;
  process: Process;
  /** Where a part of the process was written: as a flag, in the file or in the container's config. */
  sourceOf: (pointer: string) => Source | undefined;
}

/**
 * Reads the process that is to run: that of a file, or the container's own one, with the changes of the flags. Warns of
 * what is odd in the file and the flags.
 * @throws TsrunError 'config' with the pointer of the property that is wrong, 'usage' for a file that cannot be read
 */
export function readExecProcess(
  folder: ContainerFolder,
  { file, changes }: ProcessRequest,
  warn: Tell,
): ExecProcess {
  const stored = storedConfig(folder);
  const config = parseStoredConfig(stored);
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
      : inheritProcess(processOf(document), own);
  const capabilities = knownCapabilities(changes.capabilities, warn);
  const changed = changeProcess(base, { ...changes, capabilities });
  const isOwn = (property: string): boolean => inherited?.has(property) ?? true;
  const sourceOf = sourceOfProcess(stored, document, changed, isOwn);
  const { process: processSpec, warnings } = withSource(sourceOf, () =>
    validateProcess(changed.process, config.linux),
  );
  for (const warning of warnings) {
    const { pointer } = warning;
    // `create` has warned of what is odd in the container's own process.
    if (flagOf(changed.changedBy, pointer) === undefined && isOwn(propertyOf(pointer))) continue;
    warn({ ...warning, source: sourceOf(pointer) });
  }
  return { config, process: processSpec, sourceOf };
}

/** The process of a file, which is not validated yet: the flags may give what it lacks. */
function processOf(document: JsonDocument): Process {
  const { value } = document;
  if (isObject(value)) return value as unknown as Process;
  return withSource(
    () => processDocument(document),
    () => validateProcess(value, undefined).process,
  );
}

function sourceOfProcess(
  stored: Document,
  document: JsonDocument | undefined,
  changed: { process: Process; changedBy: ChangedBy },
  isOwn: (property: string) => boolean,
): ExecProcess['sourceOf'] {
  return (pointer) => {
    const flag = flagOf(changed.changedBy, pointer);
    if (flag !== undefined) {
      return flag === '' ? undefined : { flag, value: textAt(changed.process, pointer) };
    }
    const isFiles = document !== undefined && /^\/process(\/|$)/.test(pointer) && !isOwn(propertyOf(pointer));
    return isFiles ? processDocument(document) : stored;
  };
}

/** The file as a document whose root is the process. */
function processDocument({ file, text }: Document): Document {
  return { file, text, base: '/process' };
}

/** The text at a pointer below /process; undefined for what is no text. */
function textAt(processSpec: Process, pointer: string): string | undefined {
  let value: unknown = processSpec;
  for (const segment of pointerSegments(pointer).slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[segment];
  }
  return typeof value === 'string' ? value : undefined;
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
