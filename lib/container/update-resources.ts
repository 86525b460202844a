import { pointerTo } from '../core/pointer.ts';
import type { Integer } from '../config/types.ts';
import { readJsonDocument } from '../config/json-document.ts';
import type { JsonDocument } from '../config/json-document.ts';
import type { Source } from '../core/source.ts';

/** A limit of the command line. */
export interface LimitChange {
  /** The flag that gave it. */
  flag: string;
  /** Its property in linux.resources: `memory`, `limit`. */
  group: string;
  name: string;
  value: Integer | string;
}

/** What `update` is asked for. */
export interface ResourcesRequest {
  /** JSON file with linux.resources; `-` is stdin. */
  file?: string | undefined;
  /** Applied to what the file says. */
  changes: readonly LimitChange[];
}

const resourcesPointer = '/linux/resources';

/** The resources that are asked for, still to be validated, and where each of them was written. */
export function drawResources({ file, changes }: ResourcesRequest): {
  value: unknown;
  sourceOf: (pointer: string) => Source | undefined;
} {
  const document = file === undefined ? undefined : readJsonDocument(file);
  const flags = new Map(
    changes.map(({ flag, group, name }) => [pointerTo(resourcesPointer, group, name), flag]),
  );
  return {
    value: changed(document, changes),
    sourceOf: (pointer) => {
      const flag = flags.get(pointer);
      if (flag !== undefined) return { flag };
      if (document === undefined || !pointer.startsWith(resourcesPointer)) return undefined;
      return { file: document.file, text: document.text, base: resourcesPointer };
    },
  };
}

function changed(document: JsonDocument | undefined, changes: readonly LimitChange[]): unknown {
  const base = document === undefined ? {} : document.value;
  // What is no object is left to the validation.
  if (changes.length === 0 || !isObject(base)) return base;
  const value = { ...base };
  for (const { group, name, value: limit } of changes) {
    const before = value[group];
    value[group] = { ...(isObject(before) ? before : {}), [name]: limit };
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
