import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { systemError } from './error.ts';
import { errnoName, errnoOf, errnoOrRethrow, errnos, errnoText, hasErrno } from './errno.ts';

function failure(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
}

const missing = failure(() => readFileSync('/no/such/file'));

describe('errno', () => {
  it('is read from a failed call of node:fs or process, with a positive sign', () => {
    expect(errnoOf(missing)).to.equal(errnos.ENOENT);
    expect(errnoOf(failure(() => process.kill(2 ** 30, 0)))).to.equal(errnos.ESRCH);
  });

  it('is read from an error that names no system call, but the errno', () => {
    const tooLong = Object.assign(new Error('no'), { code: 'ENAMETOOLONG', errno: -errnos.ENAMETOOLONG });
    expect(hasErrno(tooLong, 'ENAMETOOLONG')).to.equal(true);
  });

  it('is not read from what is no failed system call', () => {
    for (const other of [
      systemError('open /x', 2),
      new Error('no'),
      { errno: 2, syscall: 'open' },
      undefined,
    ]) {
      expect(errnoOf(other)).to.equal(undefined);
      expect(hasErrno(other, 'ENOENT')).to.equal(false);
      expect(failure(() => errnoOrRethrow(other))).to.equal(other);
    }
    expect(errnoOrRethrow(missing)).to.equal(errnos.ENOENT);
  });

  it('is compared by number, since two names may have the same', () => {
    const unsupported = Object.assign(new Error('no'), {
      code: 'ENOTSUP',
      errno: -errnos.ENOTSUP,
      syscall: 'open',
    });
    expect(hasErrno(unsupported, 'EPERM', 'EOPNOTSUPP')).to.equal(true);
    expect(hasErrno(missing, 'EPERM', 'ENOTDIR')).to.equal(false);
  });

  it('is named by the name that has words when its number has two', () => {
    expect(errnoName(errnos.EWOULDBLOCK)).to.equal('EAGAIN');
    expect(errnoText(errnos.ENOTSUP)).to.equal('operation not supported (EOPNOTSUPP)');
    expect([errnoName(4711), errnoText(4711)]).to.deep.equal(['errno 4711', 'errno 4711']);
  });
});
