import { pointerSegments } from '../../core/pointer.ts';
import type { Position } from '../../core/source.ts';
import { readJson, scalarEnd } from './read.ts';

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
  const target = pointerSegments(pointer);
  /** Where the value at each depth of the target begins. */
  const starts: number[] = [];
  let source: string | undefined;
  try {
    readJson(text, {
      value(path, start) {
        if (path.length > target.length || path.some((part, depth) => String(part) !== target[depth])) return;
        // Of a name that appears twice the later one counts, and what was found below the earlier one does not.
        starts.length = path.length;
        starts.push(start);
        const isScalar = path.length === target.length && !'{['.includes(text.charAt(start));
        source = isScalar ? text.slice(start, scalarEnd(text, start)) : undefined;
      },
    });
  } catch {
    // What was found before a syntax error is right.
  }
  const position = positionAt(text, starts.at(-1) ?? 0);
  return source === undefined ? position : { ...position, source };
}
