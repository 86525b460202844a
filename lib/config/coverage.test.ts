import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { allProperties, isUnused, type Property } from './testing/properties.ts';

const project = new URL('../../', import.meta.url);

interface Row {
  property: string;
  state: string;
  test: string;
}

function rowsOf(text: string): Row[] {
  return text.split('\n').flatMap((line) => {
    const [, property, state = '', test = ''] = /^\| `([^`]+)` *\| ([^|]*) *\| ([^|]*) *\|$/.exec(line) ?? [];
    return property === undefined ? [] : [{ property, state: state.trim(), test: test.trim() }];
  });
}

/** True for one with a value of its own: no list or object of other properties. */
function hasValue({ path, schema }: Property): boolean {
  const { properties, items, additionalProperties } = schema;
  const isPart = path.at(-1) === '[]' || path.at(-1) === '*';
  const isObject = [schema, items, additionalProperties].some((part) => part?.properties !== undefined);
  return !isPart && properties === undefined && !isObject;
}

describe('docs/spec-coverage.md', () => {
  const rows = rowsOf(readFileSync(new URL('docs/spec-coverage.md', project), 'utf8'));
  const known = allProperties.filter(hasValue);
  const nameOf = ({ path }: Property): string => path.join('.').replaceAll('.[]', '[]');

  it('has a row for each property of the schemas, and no other', () => {
    expect(rows.map(({ property }) => property)).to.have.members(known.map(nameOf));
  });

  it('says of each what is done', () => {
    const unused = new Set(known.filter(isUnused).map(nameOf));
    for (const { property, state, test } of rows) {
      expect(state, property).to.match(/^(?:supported|partly: .+|refused: .+|ignored: .+|supported.* .+)$/);
      if (test !== '') continue;
      // Without a test on a container there is a reason, or nothing to show.
      expect(unused.has(property) || state.includes('no container test'), property).to.equal(true);
    }
  });

  for (const name of new Set(rows.map(({ test }) => test).filter((test) => test !== ''))) {
    it(`names a test that exists: ${name}`, () => {
      const [, file = '', title = ''] = /^(\S+\.test\.ts): (.+)$/.exec(name) ?? [];
      const source = readFileSync(new URL(`integration/${file}`, project), 'utf8');
      expect(["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`))).to.equal(true);
    });
  }
});
