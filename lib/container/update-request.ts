import { isObject } from '../core/is-object.ts';
import { pointerTo } from '../core/pointer.ts';
import type { Source } from '../core/source.ts';
import type { IntelRdt, Integer } from '../config/types.ts';
import { readJsonDocument } from '../config/json-document.ts';

/** A limit that a flag of the command line gives. */
export interface LimitChange {
  /** With its dashes. */
  flag: string;
  /** Its property in linux.resources: `memory`, `limit`. */
  group: string;
  name: string;
  value: Integer | string;
}

/** The limits that `update` is asked for. */
export interface ResourcesRequest {
  /** Path of a JSON file with linux.resources; `-` is stdin. */
  file?: string | undefined;
  /** Replace the limits in the file. */
  changes: readonly LimitChange[];
}

/** A line for the schemata file of a container's class in resctrl, given by a flag of the command line. */
export interface SchemaChange {
  /** With its dashes. */
  flag: string;
  /** Its property in linux.intelRdt. */
  name: 'l3CacheSchema' | 'memBwSchema';
  line: string;
}

/** Properties of a config that are not validated yet, and where the user wrote each of them. */
export interface Requested<T> {
  value: T;
  sourceOf: (pointer: string) => Source | undefined;
}

const resourcesPointer = '/linux/resources';

/**
 * The value for linux.resources that is asked for.
 *
 * @throws TsrunError 'bundle' when the file is not JSON; 'system' when it cannot be read
 */
export function requestedResources({ file, changes }: ResourcesRequest): Requested<unknown> {
  const document = file === undefined ? undefined : readJsonDocument(file);
  const flags = new Map(
    changes.map(({ flag, group, name }) => [pointerTo(resourcesPointer, group, name), flag]),
  );
  return {
    value: withChanges(document === undefined ? {} : document.value, changes),
    sourceOf: (pointer) => {
      const flag = flags.get(pointer);
      if (flag !== undefined) return { flag };
      if (document === undefined || !pointer.startsWith(resourcesPointer)) return undefined;
      return { file: document.file, text: document.text, base: resourcesPointer };
    },
  };
}

/** The value for linux.intelRdt that is asked for. */
export function requestedSchemata(changes: readonly SchemaChange[]): Requested<IntelRdt> {
  const flags = new Map(changes.map(({ flag, name }) => [pointerTo('/linux/intelRdt', name), flag]));
  return {
    value: Object.fromEntries(changes.map(({ name, line }) => [name, line])),
    sourceOf: (pointer) => {
      const flag = flags.get(pointer);
      return flag === undefined ? undefined : { flag };
    },
  };
}

/** Resources with the limits of the command line. A value of the wrong type stays, for the validation. Pure. */
export function withChanges(resources: unknown, changes: readonly LimitChange[]): unknown {
  if (changes.length === 0 || !isObject(resources)) return resources;
  const changed = { ...resources };
  for (const { group, name, value } of changes) {
    const before = changed[group];
    changed[group] = { ...(isObject(before) ? before : {}), [name]: value };
  }
  return changed;
}
