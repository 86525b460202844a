import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { parseSignal, signalName } from './signals.ts';

describe('parseSignal', () => {
  const cases: [string, number][] = [
    ['TERM', 15],
    ['SIGTERM', 15],
    ['sigterm', 15],
    ['15', 15],
    ['0', 0],
    ['KILL', 9],
    ['9', 9],
    ['IOT', 6],
    ['SIGCLD', 17],
    ['SIGPOLL', 29],
    ['RTMIN', 34],
    ['RTMIN+3', 37],
    ['SIGRTMIN+30', 64],
    ['rtmax', 64],
    ['RTMAX-1', 63],
    ['64', 64],
  ];
  for (const [text, number] of cases) {
    it(`reads ${text}`, () => {
      expect(parseSignal(text)).to.equal(number);
    });
  }

  for (const text of [
    '',
    'SIG',
    'FOO',
    '65',
    '-9',
    '1.5',
    '0x9',
    ' 9',
    'RTMIN+31',
    'RTMAX-31',
    'RTMIN-1',
    '__proto__',
    '99999999999',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseSignal(text)).to.throw(TsrunError, 'unknown signal');
    });
  }
});

describe('signalName', () => {
  it('prefers the usual name over an alias', () => {
    expect([6, 17, 29, 31].map(signalName)).to.deep.equal(['SIGABRT', 'SIGCHLD', 'SIGIO', 'SIGSYS']);
  });

  it('counts real-time signals from SIGRTMIN', () => {
    expect([34, 36, 64].map(signalName)).to.deep.equal(['SIGRTMIN', 'SIGRTMIN+2', 'SIGRTMIN+30']);
  });

  it('says the number where there is no name', () => {
    expect([0, 32, 65].map(signalName)).to.deep.equal(['signal 0', 'signal 32', 'signal 65']);
  });
});
