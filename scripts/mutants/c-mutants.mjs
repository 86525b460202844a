// The mutants of a C source: conditions, flags, calls, errors and table entries, each changed alone.

/**
 * @typedef {object} Mutant
 * @property {number} line
 * @property {string} what what was there, and what is there instead
 * @property {string} text the whole changed source
 *
 * @typedef {[start: number, end: number, instead: string]} Change
 */

/** @type {Record<string, string>} */
const opposites = {
  '==': '!=',
  '!=': '==',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '&&': '||',
  '||': '&&',
};

/** @param {string} source @returns {Mutant[]} */
export function mutantsOf(source) {
  const code = withoutText(source);
  return [conditions, operators, flags, calls, errors, neighbours]
    .flatMap((find) => find(code, source))
    .sort(([a], [b]) => a - b)
    .map(([start, end, instead]) => ({
      line: source.slice(0, start).split('\n').length,
      what: `${oneLine(source.slice(start, end))} → ${oneLine(instead)}`,
      text: source.slice(0, start) + instead + source.slice(end),
    }));
}

/** `if (x)` turned. @param {string} code @param {string} source @returns {Change[]} */
function conditions(code, source) {
  return Array.from(code.matchAll(/\bif \(/g), ({ index }) => {
    const open = index + 3;
    const end = closing(code, open) + 1;
    return [open, end, `(!${source.slice(open, end)})`];
  });
}

/**
 * One operator for its neighbour. Not where `conditions` has done the same, nor at comparisons with 0, whose
 * neighbour is the same for a call that returns 0 or an error.
 * @param {string} code @param {string} source @returns {Change[]}
 */
function operators(code, source) {
  const turned = conditions(code, source).filter(([start, end]) => !/&&|\|\|/.test(code.slice(start, end)));
  return Array.from(code.matchAll(/ (==|!=|<=?(?! 0)|>=?(?! 0)|&&|\|\|)(?=\s)/g))
    .map(({ index, 1: operator = '' }) => /** @type {const} */ ([index + 1, operator]))
    .filter(
      ([at, operator]) => !/[!=]=/.test(operator) || !turned.some(([start, end]) => at > start && at < end),
    )
    .map(([at, operator]) => [at, at + operator.length, opposites[operator] ?? '']);
}

/** One flag of several left out. @param {string} code @returns {Change[]} */
function flags(code) {
  const first = Array.from(code.matchAll(/\b[A-Z][A-Z0-9_]{2,} \|\s+(?=[A-Z])/g));
  const others = Array.from(code.matchAll(/ \|\s+[A-Z][A-Z0-9_]{2,}\b(?!\()/g));
  return [...first.filter(({ index }) => !/\|\s*$/.test(code.slice(0, index))), ...others].map(
    ({ index, 0: text }) => [index, index + text.length, ''],
  );
}

/** A call whose result nobody reads left out, and one that is only asked for an error. @param {string} code @returns {Change[]} */
function calls(code) {
  const found = code.matchAll(/(?<=[;{}]\s+|\)\n\s+|else\n\s+)(\(void\)|\w+ = )?([a-z_]\w*)(?=\()/g);
  return Array.from(found).flatMap(({ index, 0: text, 1: before = '', 2: name = '' }) => {
    const end = closing(code, index + text.length) + 1;
    const keyword = /^(if|while|for|switch|return|sizeof|__asm__)$/.test(name);
    if (keyword || code[end] !== ';' || (before.includes('=') && before !== 'error = ')) return [];
    return [[index, end, before === 'error = ' ? 'error = 0' : '']];
  });
}

/** An error that is none. @param {string} code @returns {Change[]} */
function errors(code) {
  return Array.from(code.matchAll(/\breturn (-E[A-Z0-9]+);/g), ({ index, 1: error = '' }) => [
    index + 'return '.length,
    index + 'return '.length + error.length,
    '0',
  ]);
}

/** Two neighbours of a table, or two labels of a switch, in each other's place. @param {string} code @param {string} source @returns {Change[]} */
function neighbours(code, source) {
  const patterns = [
    /(?<=^ +)(\[\w+\] = )?([^\s=][^\n=]*)(?=,\n +(\[\w+\] = )?(["{][^\n]*),$)/gm,
    /(?<=^ +)case (\w+)(?=:\n[^\n]*\n(?:[^\n]*\n)?\s*case (\w+):)/gm,
  ];
  return patterns.flatMap((pattern) =>
    Array.from(code.matchAll(pattern)).flatMap(({ index, 0: text }) => swap(code, source, index, text)),
  );
}

/** @param {string} code @param {string} source @param {number} start @param {string} text @returns {Change[]} */
function swap(code, source, start, text) {
  const isCase = text.startsWith('case ');
  const valueAt = isCase ? start + 'case '.length : start + (/^\[\w+\] = /.exec(text)?.[0].length ?? 0);
  const valueEnd = start + text.length;
  const rest = code.slice(valueEnd);
  const next = isCase ? /case (\w+):/.exec(rest) : /^,\n +(?:\[\w+\] = )?(["{][^\n]*),$/m.exec(rest);
  const found = next?.[1];
  if (next === null || found === undefined) return [];
  const otherAt = valueEnd + next.index + next[0].indexOf(found);
  const otherEnd = otherAt + found.length;
  const [value, other] = [source.slice(valueAt, valueEnd), source.slice(otherAt, otherEnd)];
  if (!isCase && !/^["{]/.test(value)) return [];
  return [[valueAt, otherEnd, other + source.slice(valueEnd, otherAt) + value]];
}

/**
 * The source with nothing in its strings and characters, and neither comments nor directives, each as long as
 * it was.
 * @param {string} source
 */
function withoutText(source) {
  const text = /\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|^#(?!define).*$/gm;
  return source.replaceAll(text, (found) =>
    /^["']/.test(found)
      ? found[0] + '_'.repeat(found.length - 2) + found[0]
      : found.replaceAll(/[^\n]/g, ' '),
  );
}

/** Where the parenthesis at `open` is closed. @param {string} code @param {number} open */
function closing(code, open) {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === '(') depth++;
    if (code[at] === ')' && --depth === 0) return at;
  }
  throw new Error(`a parenthesis that is not closed: ${code.slice(open, open + 40)}`);
}

/** @param {string} text */
function oneLine(text) {
  return text.trim().replaceAll(/\s+/g, ' ');
}
