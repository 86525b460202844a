import { expect } from 'chai';
import { processTable, selectLines } from './ps.ts';

describe('the process table of a container', () => {
  const table = 'UID   PID  PPID CMD\nroot    1     0 init\nroot   12     1 sh 21\nroot   21    12 sleep\n';

  it('has the header and the lines of its processes', () => {
    expect(selectLines(table, new Set([12]))).to.equal('UID   PID  PPID CMD\nroot   12     1 sh 21\n');
    expect(selectLines(table, new Set([1, 21]))).to.match(/ init\n.* sleep\n$/);
  });

  it('is the header alone without processes', () => {
    expect(selectLines(table, new Set())).to.equal('UID   PID  PPID CMD\n');
  });

  it('cannot be cut out of a table without pids', () => {
    expect(() => selectLines('COMMAND\nsh\n', new Set([1]))).to.throw(/couldn't find PID field/);
  });

  it('has what the options for ps ask for', () => {
    const text = processTable([process.pid], ['-o', 'pid,ppid', '-p', String(process.pid)]);
    expect(text).to.match(new RegExp(`^ *PID +PPID\\n *${process.pid} +${process.ppid}\\n$`));
    expect(() => processTable([], ['--no-such-option'])).to.throw(/ps ended with 1: error: .*;/);
  });
});
