import type { Shape } from '#validators/shapes.js';
import { nearestWord } from '../core/nearest-word.ts';
import { error, type Report, warning } from '../core/finding.ts';
import { maxDepth } from './json/read.ts';
import { pointerTo } from '../core/pointer.ts';
import { quoted } from '../core/message-text.ts';

/** The most warnings about unknown names. */
const maxWarnings = 50;

/**
 * Warns of the properties that the schema does not know; they are ignored, as the specification demands. Removes the
 * known ones that are null: programs write null for "nothing", and other runtimes read it so.
 *
 * @param at the JSON pointer of the value, as its segments.
 * @returns false for a value that is nested too deeply to work with, which is reported as an error.
 */
export function normalize(
  value: unknown,
  shape: Shape | null,
  report: Report,
  at: readonly string[] = [],
): boolean {
  const normalizer = new Normalizer(report, at);
  normalizer.visit(value, shape);
  return !normalizer.tooDeep;
}

class Normalizer {
  tooDeep = false;
  #path: (string | number)[];
  #unknown = 0;
  #report: Report;

  constructor(report: Report, at: readonly string[]) {
    this.#report = report;
    this.#path = [...at];
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
    const meant = nearestWord(name, known);
    const question = meant === undefined ? '' : `; did you mean ${quoted(meant)}?`;
    this.#report(warning(pointer, `unknown property, ignored${question}`));
  }
}
