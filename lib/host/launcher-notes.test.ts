import { expect } from 'chai';
import { takeNotes } from './launcher-notes.ts';

describe('the notes of the launcher', () => {
  it('are read and removed from the environment', () => {
    const env = {
      TSRUN_NOFILE: '1024',
      TSRUN_CORE: '18446744073709551615',
      TSRUN_FDS: '0',
      TSRUN_ENV_TZ: 'Asia/Tokyo',
      BUN_ENABLE_CRASH_REPORTING: '0',
      BUN_JSC_useWarmUpMarkedBlocks: '0',
      HOME: '/root',
    };
    expect(takeNotes(env)).to.deep.equal({
      nofile: 1024,
      core: 2n ** 64n - 1n,
      inheritedFds: 0,
      hidden: ['TZ=Asia/Tokyo'],
    });
    expect(env).to.deep.equal({ HOME: '/root' });
  });

  it('are optional', () => {
    expect(takeNotes({})).to.deep.equal({
      nofile: undefined,
      core: undefined,
      inheritedFds: undefined,
      hidden: [],
    });
  });

  it('count only in the format of the launcher', () => {
    for (const text of ['', '-1', ' 1', '1e3', '0x10', '2147483648', '99999999999']) {
      expect(takeNotes({ TSRUN_NOFILE: text }).nofile, text).to.equal(undefined);
      if (!/^\d+$/.test(text)) expect(takeNotes({ TSRUN_CORE: text }).core, text).to.equal(undefined);
    }
    expect(takeNotes({ TSRUN_NOFILE: '1073741816' }).nofile).to.equal(1073741816);
  });
});
