import { walkJson } from './walk.ts';
import { pointerSegments } from '../../core/pointer.ts';
import type { Position } from '../../core/source.ts';

/** The line and column of an index into the text. */
export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1 && end < offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}

/** Where a value is; when it is absent, its nearest parent that is there. */
export interface Located extends Position {
  /** The value as it is written; undefined when it is absent, or an object or array. */
  source?: string;
}

/** The line and column of the value `pointer` names in a JSON text, or of its nearest parent. */
export function locate(text: string, pointer: string): Located {
  const { offset, source } = find(text, pointerSegments(pointer));
  const position = positionAt(text, offset);
  return source === undefined ? position : { ...position, source };
}

function find(text: string, target: readonly string[]): { offset: number; source?: string } {
  /** Where the value at each depth of the target begins. */
  const offsets: number[] = [];
  let source: string | undefined;
  /** The open containers; `next` is the name or index of the value that comes next. */
  const open: { array: boolean; onTarget: boolean; next: string | number }[] = [];

  // Called at each value; true when it is the target or a parent of it. Of a name that appears twice the
  // later one counts, so what was found below the earlier one is forgotten.
  const enter = (start: number): boolean => {
    const parent = open.at(-1);
    const depth = open.length;
    const onTarget =
      parent === undefined ||
      (parent.onTarget && depth <= target.length && String(parent.next) === target[depth - 1]);
    if (parent?.array === true) parent.next = Number(parent.next) + 1;
    if (!onTarget) return false;
    offsets.length = depth;
    offsets.push(start);
    source = undefined;
    return true;
  };

  try {
    walkJson(text, {
      open(kind, start) {
        const onTarget = enter(start);
        open.push({ array: kind === 'array', onTarget, next: 0 });
      },
      close() {
        open.pop();
      },
      name(name) {
        const object = open.at(-1);
        if (object !== undefined) object.next = name;
      },
      scalar(start, end) {
        if (enter(start) && open.length === target.length) source = text.slice(start, end);
      },
    });
  } catch {
    // Not JSON to its end: what was found before the error is still right.
  }
  return { offset: offsets.at(-1) ?? 0, ...(source === undefined ? {} : { source }) };
}
