import { resourcesPointer } from '../cgroup-write.ts';
import { pointerTo } from '../../core/pointer.ts';
import { type Finding, warning } from '../../core/finding.ts';

/**
 * The cgroup v2 file of each property of a group of linux.resources. A property without a file has a function: whether
 * its value asks for something, which is then ignored with a warning.
 */
export type PropertyFiles<Group> = {
  readonly [Property in keyof Group]-?: string | ((value: NonNullable<Group[Property]>) => boolean);
};

/** Warnings for what a group asks for and has no file. */
export function ignoredProperties<Group extends object>(
  name: string,
  group: Group,
  files: PropertyFiles<Group>,
): Finding[] {
  return (Object.keys(files) as (keyof Group & string)[])
    .filter((property) => isIgnored(files[property], group[property]))
    .map((property) => ignoredProperty(name, property));
}

function isIgnored<Value>(file: string | ((value: NonNullable<Value>) => boolean), value: Value): boolean {
  return typeof file === 'function' && value !== undefined && value !== null && file(value);
}

/** The warning for a property of linux.resources that cgroup v2 has no file for. */
export function ignoredProperty(...at: readonly string[]): Finding {
  return warning(pointerTo(resourcesPointer, ...at), 'cgroup v2 has no such limit');
}
