import type { Shape } from '../../build/validators/shapes.js';
import { nearest } from '../core/nearest.ts';
import type { Report } from '../core/finding.ts';
import { error, warning } from '../core/finding.ts';
import { maxDepth } from './json/walk.ts';
import { pointerTo } from '../core/pointer.ts';
import { quoted } from '../core/printable.ts';

/** More warnings about names than this are nothing a reader would read. */
const maxWarnings = 50;

export interface Inspection {
  /** Nested beyond what can be worked with; reported as an error. */
  tooDeep: boolean;
  /** How many properties all objects have together, and how many names end in a backslash. */
  names: number;
  backslashNames: number;
}

/**
 * Compares the properties of a value with those its schema knows. Unknown ones are ignored, as the
 * specification demands, with a warning. A known one that is null is removed: programs write it for
 * "nothing", and other runtimes read it so.
 */
export function inspect(value: unknown, shape: Shape, report: Report): Inspection {
  const inspector = new Inspector(report);
  inspector.visit(value, shape);
  return inspector;
}

class Inspector implements Inspection {
  tooDeep = false;
  names = 0;
  backslashNames = 0;
  #path: (string | number)[] = [];
  #unknown = 0;
  #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  visit(value: unknown, shape: Shape | null): void {
    if (typeof value !== 'object' || value === null) return;
    if (this.#path.length >= maxDepth) {
      this.tooDeep = true;
      this.#report(error(pointerTo('', ...this.#path), `nested more than ${maxDepth} levels deep`));
      return;
    }
    if (Array.isArray(value)) this.#visitArray(value, shape?.items ?? null);
    else this.#visitObject(value as Record<string, unknown>, shape);
  }

  #visitArray(array: unknown[], shape: Shape | null): void {
    for (let i = 0; i < array.length; i++) {
      const element = array[i];
      if (typeof element !== 'object') continue;
      this.#path.push(i);
      this.visit(element, shape);
      this.#path.pop();
    }
  }

  #visitObject(object: Record<string, unknown>, shape: Shape | null): void {
    const properties = shape?.properties;
    for (const name of Object.keys(object)) {
      this.names++;
      if (name.endsWith('\\')) this.backslashNames++;
      const value = object[name];
      let child = shape?.values ?? null;
      if (properties !== undefined) {
        const known = properties[name];
        if (known === undefined) this.#reportUnknown(name, Object.keys(properties));
        else if (value === null) Reflect.deleteProperty(object, name);
        child = known ?? null;
      }
      if (typeof value !== 'object') continue;
      this.#path.push(name);
      this.visit(value, child);
      this.#path.pop();
    }
  }

  #reportUnknown(name: string, known: readonly string[]): void {
    this.#unknown++;
    if (this.#unknown > maxWarnings) return;
    const pointer = pointerTo('', ...this.#path, name);
    if (this.#unknown === maxWarnings) {
      this.#report(warning(pointer, 'unknown property, ignored; there are more'));
      return;
    }
    const meant = nearest(name, known);
    const question = meant === undefined ? '' : `; did you mean ${quoted(meant)}?`;
    this.#report(warning(pointer, `unknown property, ignored${question}`));
  }
}
