import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { bundleOf, goodConfig } from '../config/testing/fixtures.ts';
import { isTerminal } from '../native/terminal.ts';
import { checkExecTerminal, checkTerminal } from './check-terminal.ts';

describe('a terminal', () => {
  const check = (terminal: boolean, socket: string | undefined, detach: boolean) => (): void => {
    const config = { ...goodConfig(), process: { cwd: '/', args: ['x'], terminal } };
    checkTerminal(bundleOf(JSON.stringify(config)), socket, detach);
  };

  it('needs a console socket when tsrun does not stay', () => {
    expect(check(true, undefined, true))
      .to.throw(TsrunError, 'without setting console socket')
      .that.includes({ code: 'config', pointer: '/process/terminal' });
    expect(() => {
      checkExecTerminal(true, undefined, true);
    })
      .to.throw(TsrunError, 'without setting console socket')
      .that.includes({ code: 'usage', hint: 'give --console-socket PATH, or leave out --tty' });
    check(true, '/socket', true)();
    checkExecTerminal(true, '/socket', true);
  });

  it('cannot be held by tsrun when tsrun has none itself', function () {
    if ([0, 1, 2].some(isTerminal)) this.skip();
    expect(check(true, undefined, false)).to.throw(TsrunError, 'tsrun does not run on one');
    check(false, undefined, false)();
  });

  it('must have no console socket when tsrun holds it, nor must a container without one', () => {
    for (const [terminal, detach] of [
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      if (!terminal) {
        expect(check(terminal, '/socket', detach))
          .to.throw(TsrunError, 'cannot use console socket')
          .with.property('code', 'usage');
      }
      expect(() => {
        checkExecTerminal(terminal, '/socket', detach);
      }).to.throw(TsrunError, 'cannot use console socket');
      checkExecTerminal(terminal, undefined, false);
    }
  });
});
