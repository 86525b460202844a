import { expect } from 'chai';
import { locate, positionAt } from './locate.ts';
import { pointerSegments, pointerTo } from '../../core/pointer.ts';

const text = `{
  "ociVersion": "1.3.0",
  "mounts": [
    { "destination": "/a" },
    {
      "destination": "/b", "source": "/srv/data"
    }
  ],
  "annotations": { "a/b~c": "x", "": "empty" },
  "limit": 18446744073709551615
}
`;

describe('locate', () => {
  const cases: [string, object][] = [
    ['', { line: 1, column: 1 }],
    ['/ociVersion', { line: 2, column: 17, source: '"1.3.0"' }],
    ['/mounts', { line: 3, column: 13 }],
    ['/mounts/0', { line: 4, column: 5 }],
    ['/mounts/1/source', { line: 6, column: 38, source: '"/srv/data"' }],
    ['/mounts/1/type', { line: 5, column: 5 }],
    ['/mounts/7/type', { line: 3, column: 13 }],
    ['/process/args/0', { line: 1, column: 1 }],
    ['/annotations/a~1b~0c', { line: 9, column: 29, source: '"x"' }],
    ['/annotations/', { line: 9, column: 38, source: '"empty"' }],
    ['/limit', { line: 10, column: 12, source: '18446744073709551615' }],
    ['/ociVersion/x', { line: 2, column: 17 }],
  ];
  for (const [pointer, position] of cases) {
    it(`finds ${pointer === '' ? 'the document' : pointer}`, () => {
      expect(locate(text, pointer)).to.deep.equal(position);
    });
  }

  it('takes the last of two values with one name, as JSON.parse does', () => {
    expect(locate('{"a":{"b":1},"a":{"c":2}}', '/a/b')).to.deep.equal({ line: 1, column: 18 });
    expect(locate('{"a":{"b":1},\n"a":{"b":2}}', '/a/b')).to.deep.equal({ line: 2, column: 10, source: '2' });
  });

  it('says what it can of a text that is no JSON', () => {
    expect(locate('{"a":1,', '/a')).to.deep.equal({ line: 1, column: 6, source: '1' });
    expect(locate('', '/a')).to.deep.equal({ line: 1, column: 1 });
    expect(locate('['.repeat(100_000), '/0/0')).to.deep.equal({ line: 1, column: 3 });
  });
});

describe('positionAt', () => {
  it('counts lines and columns from 1', () => {
    expect(positionAt('ab\ncd\n', 0)).to.deep.equal({ line: 1, column: 1 });
    expect(positionAt('ab\ncd\n', 2)).to.deep.equal({ line: 1, column: 3 });
    expect(positionAt('ab\ncd\n', 3)).to.deep.equal({ line: 2, column: 1 });
    expect(positionAt('ab\ncd\n', 6)).to.deep.equal({ line: 3, column: 1 });
  });
});

describe('pointers', () => {
  it('escape and come back', () => {
    const pointer = pointerTo('/x', 'a/b', '~1', 3, '');
    expect(pointer).to.equal('/x/a~1b/~01/3/');
    expect(pointerSegments(pointer)).to.deep.equal(['x', 'a/b', '~1', '3', '']);
    expect(pointerSegments('')).to.deep.equal([]);
  });
});
