import { expect } from 'chai';
import { rfc3339Nano, timestamp } from './rfc3339.ts';

describe('timestamp', () => {
  it('is RFC 3339 with nine digits of a second', () => {
    expect(rfc3339Nano(Date.UTC(2026, 10, 21, 3, 4, 5, 123) + 0.25)).to.equal(
      '2026-11-21T03:04:05.123250000Z',
    );
    expect(rfc3339Nano(0)).to.equal('1970-01-01T00:00:00.000000000Z');
  });

  it('is the present', () => {
    expect(timestamp()).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect(Math.abs(Date.parse(timestamp()) - Date.now())).to.be.lessThan(2000);
  });
});
