import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { checkContainerId } from './container-id.ts';

describe('checkContainerId', () => {
  for (const id of ['a', 'web-1', '0', '_x', '.hidden', '...', '-x', '+', 'a'.repeat(1024), 'A.b_C+d-9']) {
    it(`takes ${id.slice(0, 20)}`, () => {
      checkContainerId(id);
    });
  }

  for (const id of [
    '',
    '.',
    '..',
    'a/b',
    '/a',
    '../a',
    'a\0',
    'a b',
    'a\n',
    'ä',
    'a'.repeat(1025),
    '\u001b[31m',
    'a:b',
    '%s',
  ]) {
    it(`refuses ${JSON.stringify(id.slice(0, 20))}`, () => {
      expect(() => {
        checkContainerId(id);
      })
        .to.throw(TsrunError, 'invalid container ID format')
        .with.property('code', 'id');
    });
  }

  it('keeps the terminal and the line safe from the id', () => {
    expect(() => {
      checkContainerId(`\u001b[2J\u009b${'x'.repeat(5000)}`);
    }).to.throw(/^[\x20-\x7e…]{1,200}$/);
  });
});
