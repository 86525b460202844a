import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot } from '../harness/programs.ts';
import { documentedRows, rows } from './harness/table.ts';

describe('the table of docs/engines-tested.md', () => {
  it('has a row for each action that is tried', function () {
    // It is written after the tests.
    if (process.env['TSRUN_WRITE_TABLE'] !== undefined) this.skip();
    const documented = documentedRows(readFileSync(join(projectRoot, 'docs', 'engines-tested.md'), 'utf8'));
    const tried = rows.map(({ engine, action }) => `${engine}: ${action}`);
    // Some files alone say nothing of the engines of the others.
    const engines = new Set(rows.map(({ engine }) => engine));
    const wanted =
      process.env['TSRUN_ALL_ENGINES'] === undefined
        ? documented.filter((row) => engines.has(row.slice(0, row.indexOf(': '))))
        : documented;
    const hint = 'write the table anew: npm run test:engines -- --table';
    expect([...wanted].sort(), hint).to.deep.equal([...tried].sort());
  });
});
