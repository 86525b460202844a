import { expect } from 'chai';
import { takeNotes } from './origin.ts';

describe('the notes of the launcher', () => {
  it('are read and removed from the environment', () => {
    const env = { TSRUN_NOFILE: '1024', TSRUN_FDS: '0', TSRUN_CWD_GONE: '1', HOME: '/root' };
    expect(takeNotes(env)).to.deep.equal({ nofile: 1024, inheritedFds: 0, cwdGone: true });
    expect(env).to.deep.equal({ HOME: '/root' });
  });

  it('are optional', () => {
    expect(takeNotes({})).to.deep.equal({ nofile: undefined, inheritedFds: undefined, cwdGone: false });
  });

  it('count only in the format of the launcher', () => {
    for (const text of ['', '-1', ' 1', '1e3', '0x10', '2147483648', '99999999999']) {
      expect(takeNotes({ TSRUN_NOFILE: text }).nofile, text).to.equal(undefined);
    }
    expect(takeNotes({ TSRUN_NOFILE: '1073741816' }).nofile).to.equal(1073741816);
    expect(takeNotes({ TSRUN_CWD_GONE: 'yes' }).cwdGone).to.equal(false);
  });
});
