import { expect } from 'chai';
import { TsrunError } from '../../../lib/core/error.ts';
import { parseDuration } from './duration.ts';

describe('durations', () => {
  it('are read as Go programs write them', () => {
    const durations: [string, number][] = [
      ['5s', 5000],
      ['5.0s', 5000],
      ['500ms', 500],
      ['1m30s', 90_000],
      ['1h', 3_600_000],
      ['.5s', 500],
      ['2.s', 2000],
      ['+1s', 1000],
      ['1500us', 1.5],
      ['1500µs', 1.5],
      ['1000000ns', 1],
      ['5m0s', 300_000],
    ];
    for (const [text, milliseconds] of durations)
      expect(parseDuration('--interval', text), text).to.equal(milliseconds);
  });

  it('need a unit and must not be 0', () => {
    for (const text of ['', '5', 's', '0', '0s', '-5s', '5 s', '5x', '1s2', '1e3s', '1d', '++1s']) {
      const read = (): number => parseDuration('--interval', text);
      expect(read, text).to.throw(TsrunError, /--interval.*greater than 0/);
    }
  });
});
