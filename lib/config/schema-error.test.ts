import { expect } from 'chai';
import type { SchemaError } from '#validators/config.js';
import type { Finding } from '../core/finding.ts';
import { schemaFinding } from './schema-error.ts';

const root = { a: { 'b/c': 5, list: [true, null], text: '17', yes: 'true', none: undefined } };

function of(keyword: string, instancePath: string, params: SchemaError['params'] = {}): Partial<Finding> {
  const { pointer, reason, hint } = schemaFinding({ keyword, instancePath, params } as SchemaError, root, '');
  return hint === undefined ? { pointer, reason } : { pointer, reason, hint };
}

describe('an error of the schema in words', () => {
  it('says what was expected and what is there', () => {
    const found: [pointer: string, found: string][] = [
      ['', 'an object'],
      ['/a', 'an object'],
      ['/a/b~1c', 'a number'],
      ['/a/list', 'an array'],
      ['/a/list/0', 'true'],
      ['/a/list/1', 'null'],
      ['/a/text', 'a string'],
      ['/a/none', 'nothing'],
      ['/a/nowhere', 'nothing'],
      ['/a/nowhere/below', 'nothing'],
      ['/a/list/1/below', 'nothing'],
      ['/a/text/length', 'nothing'],
      ['/a/toString', 'nothing'],
    ];
    for (const [pointer, kind] of found)
      expect(of('type', pointer, { type: ['string', 'null'] })).to.deep.equal({
        pointer,
        reason: `expected a string or null, found ${kind}`,
      });
    for (const [type, name] of [
      ['object', 'an object'],
      ['array', 'an array'],
      ['boolean', 'true or false'],
      ['number', 'number'],
    ])
      expect(of('type', '/a/text', { type }).reason).to.equal(`expected ${String(name)}, found a string`);
  });

  it('tells of quotes around true, false and numbers, and of no others', () => {
    const hint = (pointer: string, type: string): string | undefined => of('type', pointer, { type }).hint;
    expect(hint('/a/yes', 'boolean')).to.equal('Write true without quotes.');
    expect(hint('/a/text', 'boolean')).to.equal(undefined);
    expect(hint('/a/yes', 'object')).to.equal(undefined);
    const values: Record<string, boolean> = {
      '17': true,
      '-3': true,
      '': false,
      '1.5': false,
      x1: false,
      '1x': false,
    };
    for (const [text, isNumber] of Object.entries(values)) {
      const failure = { keyword: 'exactInteger', instancePath: '/v', params: { minimum: 0, maximum: 9 } };
      const { reason, hint: said } = schemaFinding(failure as unknown as SchemaError, { v: text }, '');
      expect(reason).to.equal('expected an integer from 0 to 9, found a string');
      expect(said, text).to.equal(isNumber ? 'Write the number without quotes.' : undefined);
    }
    const off = {
      keyword: 'type',
      instancePath: '/v',
      params: { type: 'boolean' },
    } as unknown as SchemaError;
    expect(schemaFinding(off, { v: 'false' }, '').hint).to.equal('Write false without quotes.');
  });

  it('says the range of an integer that is out of it', () => {
    const range = { minimum: '-1', maximum: '18446744073709551615' };
    const reason = 'must be an integer from -1 to 18446744073709551615';
    expect(of('exactInteger', '/a/b~1c', range)).to.deep.equal({ pointer: '/a/b~1c', reason });
    const failure = { keyword: 'exactInteger', instancePath: '/v', params: range } as unknown as SchemaError;
    expect(schemaFinding(failure, { v: 2n ** 70n }, '').reason).to.equal(reason);
  });

  it('lists what is allowed, and what may be meant', () => {
    const allowedValues = ['', 'true', 'false'];
    expect(of('enum', '/a/text', { allowedValues }).reason).to.equal('must be one of true, false');
    expect(of('enum', '/a/list', { allowedValues })).to.deep.equal({
      pointer: '/a/list',
      reason: 'expected a string, found an array',
    });
    expect(of('enum', '/a/yes', { allowedValues: ['ture', 'no'] }).hint).to.equal('Did you mean "ture"?');
    expect(of('enum', '/a/text', { allowedValues }).hint).to.equal(undefined);
  });

  it('knows what is missing, empty, or of another form', () => {
    expect(of('required', '/a', { missingProperty: 'x/y' })).to.deep.equal({
      pointer: '/a/x~1y',
      reason: 'required property is missing',
    });
    for (const keyword of ['nonEmpty', 'minItems'])
      expect(of(keyword, '/a').reason).to.equal('must not be empty');
    expect(of('pattern', '/a/text', { pattern: '^x$' }).reason).to.equal('must match ^x$');
    expect(of('oneOf', '/a').reason).to.equal('does not agree with the schema (oneOf)');
  });
});
