import { expect } from 'chai';
import { randomFrom } from '../testing/random.ts';

import { exactNumber } from './exact-number.ts';
import { duplicateNames, parseJson } from './parse.ts';
import { JsonSyntaxError, maxDepth, readJson } from './read.ts';

/** The value as JSON.parse would have it. */
function inexact(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(inexact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, inexact(child)]));
}

describe('parseJson', () => {
  it('agrees with JSON.parse on values of every kind', () => {
    for (const text of [
      '{}',
      ' [ ] ',
      '[1,-2,0.5,1e3,-0,true,false,null,"",[[]],{"a":{"":1}}]',
      '"\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/"',
      '{"a":1,"a":2}',
      '{"__proto__":{"x":1},"constructor":2}',
      '\t\r\n 7 \n',
      '"\u007f\u2028"',
    ]) {
      expect(readJson(text), text).to.deep.equal(JSON.parse(text));
      expect(JSON.stringify(readJson(text)), text).to.equal(JSON.stringify(JSON.parse(text)));
    }
  });

  it('accepts and refuses what JSON.parse does, on thousands of damaged texts', () => {
    const random = randomFrom(1);
    const base = '{"a":[1,-2.5e3,true,null,"x\\u0041\\n"],"b":{"c":"d","e":{}},"f":[[],[{}]]}';
    const alphabet = '{}[]",:\\ \n\t\u0001abu0123456789-+.eEtruefalsn/\'\u00e9';
    for (let round = 0; round < 5000; round++) {
      let text = base;
      for (let edits = 1 + random(3); edits > 0; edits--) {
        const at = random(text.length);
        const put = random(3) === 0 ? '' : alphabet.charAt(random(alphabet.length));
        text = text.slice(0, at) + put + text.slice(at + random(2));
      }
      let wanted: { value: unknown } | undefined;
      try {
        wanted = { value: JSON.parse(text) as unknown };
      } catch {
        wanted = undefined;
      }
      if (wanted === undefined) expect(() => readJson(text), text).to.throw(JsonSyntaxError);
      else expect(inexact(readJson(text)), text).to.deep.equal(wanted.value);
    }
  });

  it('keeps integers exact that a number cannot hold', () => {
    const text =
      '[18446744073709551615, 9223372036854771712, -9223372036854775808, 9007199254740993, 9007199254740991]';
    expect(parseJson(text)).to.deep.equal([
      18446744073709551615n,
      9223372036854771712n,
      -9223372036854775808n,
      9007199254740993n,
      9007199254740991,
    ]);
  });

  it('reads exponents and fractions of integers exactly', () => {
    expect(parseJson('{"a":1e19}')).to.deep.equal({ a: 10000000000000000000n });
    expect(parseJson('[1e19,1E2,1.50e1]')).to.deep.equal([10000000000000000000n, 100, 15]);
    expect(exactNumber('1.8446744073709551615e19')).to.equal(18446744073709551615n);
    expect(exactNumber('9007199254740993.0')).to.equal(9007199254740993n);
    expect(exactNumber('1844674407370955161500e-2')).to.equal(18446744073709551615n);
    expect(exactNumber('-0')).to.equal(-0);
    expect(exactNumber('1.0')).to.equal(1);
    expect(exactNumber('0.5')).to.equal(0.5);
    expect(exactNumber('9007199254740993.5')).to.be.a('number');
    expect(exactNumber('1e400')).to.equal(Infinity);
    expect(exactNumber('1e999999999999')).to.equal(Infinity);
    expect(exactNumber('1e-999999999999')).to.equal(0);
    expect(exactNumber('0e999')).to.equal(0);
  });

  it('does not take digits in a string for a number', () => {
    expect(parseJson('{"a":"18446744073709551616","b":1}')).to.deep.equal({
      a: '18446744073709551616',
      b: 1,
    });
  });

  it('leaves the prototype alone', () => {
    const value = parseJson('{"__proto__":{"polluted":1e30}}') as { polluted?: unknown };
    expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
    expect(value.polluted).to.equal(undefined);
  });

  it('is not brought down by depth', () => {
    for (const text of ['['.repeat(100_000), '{"a":'.repeat(100_000), '['.repeat(100_000) + '1e99']) {
      expect(() => parseJson(text)).to.throw(JsonSyntaxError, `nested more than ${maxDepth} levels`);
    }
    expect(readJson('['.repeat(maxDepth) + ']'.repeat(maxDepth))).to.be.an('array');
  });

  it('is not brought down by length', () => {
    expect(() => parseJson(`[${'1'.repeat(5_000_000)}]`)).to.throw(
      JsonSyntaxError,
      'more than 1000 characters',
    );
    expect(parseJson(`["${'\\n'.repeat(2_000_000)}", 1e19]`)).to.be.an('array');
    expect(() => parseJson(`["${'x'.repeat(5_000_000)}`)).to.throw(JsonSyntaxError, 'without an end');
  });

  const errors: [string, number, string][] = [
    ['', 0, 'expected a value, found the end of the file'],
    ['{', 1, 'expected a property name in double quotes, found the end of the file'],
    ['{"a":1,}', 7, 'found "}" after a trailing comma'],
    ['[1,]', 3, 'found "]" after a trailing comma'],
    ['{"a" 1}', 5, 'expected ":" after the property name, found "1"'],
    ['{"a":1 "b":2}', 7, 'expected "," or "}"'],
    ["{'a':1}", 1, 'a single quote'],
    ['{\n// x\n}', 2, 'a comment'],
    ['[nul]', 1, 'found "nul"'],
    ['[01]', 1, 'found "01"'],
    ['["a\nb"]', 3, 'the line ends inside a string'],
    ['["a\\x"]', 3, 'an escape that JSON does not have'],
    ['{} x', 3, 'expected nothing after the end of the value, found "x"'],
    ['[NaN]', 1, 'found "NaN"'],
  ];
  for (const [text, offset, message] of errors) {
    it(`says what is wrong with ${JSON.stringify(text)}`, () => {
      expect(() => parseJson(text))
        .to.throw(JsonSyntaxError, message)
        .with.property('offset', offset);
    });
  }
});

describe('duplicateNames', () => {
  it('finds names given twice in one object, at any depth', () => {
    const text = '{"a":1,"b":[{"c":1,"d":2,"c":3},{"c":1}],"a":{"x":1},"e":{"a":1,"f~/":1,"f~/":2,"f~/":2}}';
    expect(duplicateNames(text, JSON.parse(text))).to.deep.equal(['/b/0/c', '/a', '/e/f~0~1']);
  });

  it('counts in arrays what is no object, too', () => {
    const text = '[7,"x",{"a":1},[null,[],{"b":1,"b":2}],[{"c":1},{"d":1,"d":2}],{"e":1,"e":2}]';
    expect(duplicateNames(text, JSON.parse(text))).to.deep.equal(['/3/2/b', '/4/1/d', '/5/e']);
  });

  it('finds nothing where there is nothing', () => {
    for (const text of [
      '[{"a":1},{"a":{"a":[1,{"a":1}]}}]',
      '{"a" : 1, "b":{"c\\"":"x\\": y"}, "d"\n:[": "]}',
      '{"a":"x\\": y"}',
    ]) {
      expect(duplicateNames(text, JSON.parse(text)), text).to.deep.equal([]);
    }
  });

  it('finds names that end in a backslash or a quote', () => {
    for (const name of ['a\\\\', 'a\\\\\\"', '\\"', ':', '']) {
      const text = `{"${name}":":1","${name}":":\\":2"}`;
      const [pointer, ...more] = duplicateNames(text, JSON.parse(text));
      expect([pointer, more], text).to.deep.equal([`/${JSON.parse(`"${name}"`) as string}`, []]);
    }
  });
});
