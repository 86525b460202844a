import type { RuntimeName } from './runtime.ts';

/** What came of an action with a runtime: fine, not fine, or why it was not tried. */
export type Outcome = 'ok' | 'fails' | { skipped: string };

/** A row of the table in docs/engines-tested.md. */
export interface Row {
  engine: string;
  action: string;
  outcomes: Partial<Record<RuntimeName, Outcome>>;
}

/** Everything the tests of this run try, in their order; outcomes come as they run. */
export const rows: Row[] = [];

const start = '<!-- table: npm run test:engines -- --table -->';
const end = '<!-- end of table -->';

/**
 * A document with the tables of these rows between its marks. The tables of engines that have no row here
 * stay: a run of some of the tests says nothing of the others.
 */
export function withTables(document: string, all: readonly Row[]): string {
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from === -1 || to === -1) throw new Error('the document has no marks of a table');
  const sections = sectionsOf(document.slice(from + start.length, to));
  for (const { engine } of all) {
    sections.set(
      engine,
      section(
        engine,
        all.filter((row) => row.engine === engine),
      ),
    );
  }
  const texts = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return [document.slice(0, from) + start, ...texts, document.slice(to)].join('\n\n');
}

function sectionsOf(text: string): Map<string, string> {
  const sections = text.split(/^(?=### )/m).filter((part) => part.startsWith('### '));
  return new Map(sections.map((part) => [/^### (.*)$/m.exec(part)?.[1] ?? '', part.trimEnd()]));
}

function section(engine: string, all: readonly Row[]): string {
  const cell = (outcome: Outcome | undefined): string =>
    typeof outcome === 'object' ? `not tried: ${outcome.skipped}` : (outcome ?? '');
  const table = [
    ['Action', 'tsrun', 'runc'],
    ...all.map(({ action, outcomes }) => [action, cell(outcomes.tsrun), cell(outcomes.runc)]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = table;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [`### ${engine}`, '', line(head), rule, ...body.map(line)].join('\n');
}

/** `engine: action` of each row of the table in a document. */
export function documentedRows(document: string): string[] {
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  let engine = '';
  return document
    .slice(from, to)
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('### ')) engine = line.slice(4);
      const action = /^\| (?!Action |-+ )([^|]*?) +\|/.exec(line)?.[1];
      return action === undefined ? [] : [`${engine}: ${action}`];
    });
}
