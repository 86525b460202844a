import { expect } from 'chai';
import { table } from './output.ts';

describe('tables', () => {
  it('tables have columns three apart and at least twelve wide, without blanks at the end', () => {
    expect(
      table(
        ['ID', 'PID'],
        [
          ['a', '1'],
          ['a-long-name-of-one', '22'],
        ],
      ),
    ).to.equal(`ID                   PID\na                    1\na-long-name-of-one   22\n`);
    expect(table(['ID', 'PID'], [['a', '1']])).to.equal('ID          PID\na           1\n');
    expect(table(['A', 'B', 'C'], [['123456789', '1234567890', 'x']])).to.equal(
      'A           B            C\n123456789   1234567890   x\n',
    );
  });

  it('tables may be narrower, and have rows that end early', () => {
    expect(table(['A', 'B'], [['x'], ['', 'y']], 0)).to.equal('A   B\nx\n    y\n');
    expect(table(['A'], [])).to.equal('A\n');
  });
});
