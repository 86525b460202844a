import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../harness/programs.ts';
import { rows, withTables } from './table.ts';

const document = join(projectRoot, 'docs', 'engines-tested.md');

export const mochaHooks = {
  afterAll(): void {
    if (process.env['TSRUN_WRITE_TABLE'] === undefined) return;
    writeFileSync(document, withTables(readFileSync(document, 'utf8'), rows));
  },
};
