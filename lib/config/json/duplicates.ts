import { pointerTo } from '../../core/pointer.ts';
import { walkJson } from './walk.ts';

/** Names that appear more than once in one object, as pointers, each once. The text must be valid JSON. */
export function duplicateNames(text: string): string[] {
  const duplicates = new Set<string>();
  const open: { pointer: string; names?: Set<string>; index: number }[] = [];
  let next = '';
  const enter = (): string => {
    const parent = open.at(-1);
    return parent === undefined || parent.names !== undefined
      ? next
      : pointerTo(parent.pointer, parent.index++);
  };
  walkJson(text, {
    open(kind) {
      const pointer = enter();
      open.push(kind === 'object' ? { pointer, names: new Set(), index: 0 } : { pointer, index: 0 });
    },
    close() {
      open.pop();
    },
    name(name) {
      const object = open.at(-1);
      if (object?.names === undefined) return;
      next = pointerTo(object.pointer, name);
      if (object.names.has(name)) duplicates.add(next);
      object.names.add(name);
    },
    scalar() {
      enter();
    },
  });
  return [...duplicates];
}

/**
 * How many property names the text has, counted without reading it: quotes before a colon, where no
 * backslash is before the quote. Strings that begin with a colon make it too many; names that end in a
 * backslash, too few by their number.
 */
export function countNames(text: string): number {
  return text.match(/(?<!\\)"[ \t\r\n]*:/g)?.length ?? 0;
}
