import { expect } from 'chai';
import { TsrunError } from './error.ts';
import { shortenValue, shortenMessage, printable, quoted, shorten } from './message-text.ts';

describe('printable', () => {
  it('shows what a terminal must not see as escapes', () => {
    expect(printable('a\u001b[31m\u202eb\ud800')).to.equal('a\\u001b[31m\\u202eb\\ud800');
    expect(printable('wörter 日本')).to.equal('wörter 日本');
  });

  it('shortens', () => {
    expect(shorten('abcdef', 6)).to.equal('abcdef');
    expect(shorten('abcdefg', 6)).to.equal('abcde…');
    expect(quoted('a\nb')).to.equal('"a\\nb"');
  });
});

describe('brief', () => {
  it('keeps what can be read, and the ends of what cannot', () => {
    expect(shortenValue('x'.repeat(200))).to.equal('x'.repeat(200));
    expect(shortenValue(`/first/${'x'.repeat(5000)}/last`)).to.match(
      /^\/first\/x{113}…x{55}\/last \(5012 characters\)$/,
    );
  });

  it('counts characters, and cuts none in half', () => {
    const faces = shortenValue('😀'.repeat(500));
    expect(faces).to.match(/^(?:😀)+…(?:😀)+ \(500 characters\)$/u);
    expect(faces).not.to.match(/\p{Cs}/u);
    expect(shortenValue('😀'.repeat(150))).to.equal('😀'.repeat(150));
  });
});

describe('briefMessage', () => {
  const long = 'x'.repeat(4096);

  it('cuts long words, wherever they are', () => {
    const message = shortenMessage(`open "/${long}/f": no such file (in /${long}): ${long}`);
    expect(message).to.match(/^open "\/x+…x+\/f \(\d+ characters\)": no such file \(in \/x+…x+ \(4097 char/);
    expect(message.length).to.be.below(800);
    expect(shortenMessage(message)).to.equal(message);
    expect(shortenMessage('what cannot be read stays as it is: '.repeat(50))).to.have.length(1800);
  });

  it('cuts values with spaces in them when told', () => {
    const value = 'say "no" '.repeat(500);
    const message = shortenMessage(`exec: ${JSON.stringify(value)}, or ${value}: not found`, [
      value,
      'short',
    ]);
    expect(message).to.match(/^exec: "say [^…]+…[^…]+ \(\d+ characters\)", or say [^…]+…[^…]+: not found$/);
    expect(message.length).to.be.below(600);
  });

  it('knows a value that was cut off before', () => {
    const value = 'a b/'.repeat(2000);
    const message = shortenMessage(`open ${value.slice(0, 4000)}: too long, ${value.slice(0, 100)}`, [value]);
    expect(message).to.match(/^open [^…]+…[^…]+ \(8000 characters\): too long, (?:a b\/){25}$/);
  });

  it('is what every error goes through, its hint too', () => {
    const { message, hint = '' } = new TsrunError('config', `a ${long} b`, { hint: `c ${long} d` });
    expect(message).to.match(/^a x+…x+ \(4096 characters\) b$/);
    expect(hint).to.match(/^c x+…x+ \(4096 characters\) d$/);
  });
});
