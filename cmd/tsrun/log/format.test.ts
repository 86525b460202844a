import { expect } from 'chai';
import { formatForPeople, formatRecord } from './format.ts';

const time = new Date('2026-11-21T03:04:05.678Z');

describe('log format', () => {
  it('writes JSON as logrus does', () => {
    expect(formatRecord({ level: 'error', msg: 'a "b"', time }, 'json')).to.equal(
      '{"level":"error","msg":"a \\"b\\"","time":"2026-11-21T03:04:05Z"}\n',
    );
  });

  it('quotes text so that a message cannot fake a second record', () => {
    const msg = 'x" level=info\ntime="now" \\n';
    expect(formatRecord({ level: 'warning', msg, time }, 'text')).to.equal(
      'time="2026-11-21T03:04:05Z" level=warning msg="x\\" level=info\\ntime=\\"now\\" \\\\n"\n',
    );
  });

  it('keeps people’s terminals safe', () => {
    expect(formatForPeople({ level: 'error', msg: 'clear \u001b[2J\u0085\u202e', time })).to.equal(
      'tsrun: clear \\u001b[2J\\u0085\\u202e\n',
    );
    expect(formatForPeople({ level: 'warning', msg: 'fine', time })).to.equal('tsrun: warning: fine\n');
  });
});
