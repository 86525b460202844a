import { expect } from 'chai';
import { TsrunError } from '../../lib/core/error.ts';
import type { FlagSource } from '../../lib/core/source.ts';
import { noticePosition, renderNotice, renderWarning } from './render.ts';

describe('renderNotice', () => {
  const at = (text: string, pointer: string, reason: string): string =>
    renderNotice({ reason, pointer, source: { file: '/b/config.json', text } });

  it('shortens the value it quotes and makes it printable', () => {
    const value = `\u001b[31m\u202e${'x'.repeat(500)}`;
    const text = at(JSON.stringify({ a: value }).replaceAll('\\u001b', '\u009b'), '/a', 'is wrong');
    expect(text).to.match(/^config\.json:1:6: \/a "\\u009b\[31m\\u202ex+…: is wrong$/);
    expect(text.length).to.be.below(120);
  });

  it('gives the place of the parent for a property that is absent', () => {
    expect(at('{\n"a": {}}', '/a/b/c', 'is missing')).to.equal('config.json:2:6: /a/b/c: is missing');
    expect(at('[]', '', 'is wrong')).to.equal('config.json:1:1: is wrong');
  });

  it('puts place, pointer and value before the reason of an error', () => {
    const text = JSON.stringify({ process: { terminal: 'true' } }, null, 2);
    const failure = new TsrunError('config', 'expected true or false, found a string', {
      pointer: '/process/terminal',
      source: { file: 'config.json', text },
    });
    expect(renderNotice(failure)).to.equal(
      'config.json:3:17: /process/terminal "true": expected true or false, found a string',
    );
  });

  it('names a property from the root of the document it is in', () => {
    const source = { file: 'p.json', text: '{"cwd": "x"}', base: '/process' };
    const notice = { reason: 'must be absolute', pointer: '/process/cwd', source };
    expect(renderNotice(notice)).to.equal('p.json:1:9: /cwd "x": must be absolute');
    expect(noticePosition(notice)).to.deep.equal({ line: 1, column: 9 });
  });

  it('names the flag that gave the value, and the value where it is known', () => {
    const at = (source: FlagSource): string =>
      renderNotice({ reason: 'must be absolute', pointer: '/process/cwd', source });
    expect(at({ flag: '--cwd' })).to.equal('--cwd: must be absolute');
    expect(at({ flag: '--cwd', value: 'tmp' })).to.equal('--cwd "tmp": must be absolute');
    expect(at({ flag: '--cwd', value: `\u001b${'x'.repeat(500)}` })).to.match(
      /^--cwd "\\u001bx+…": must be absolute$/,
    );
  });

  it('gives the place in a file that is no document', () => {
    const source = { file: '/b/config.json', position: { line: 3, column: 7 } };
    expect(renderNotice({ reason: 'not valid JSON', source })).to.equal('config.json:3:7: not valid JSON');
    expect(noticePosition({ reason: '', source })).to.deep.equal({ line: 3, column: 7 });
  });

  it('escapes what a terminal must not see in a reason', () => {
    expect(renderNotice({ reason: 'a\u001b[31m\nb' })).to.equal('a\\u001b[31m\\u000ab');
  });
});

describe('renderWarning', () => {
  it('puts the hint behind the reason', () => {
    expect(renderWarning({ reason: 'unused', hint: 'leave it out' })).to.equal('unused; leave it out');
  });
});
