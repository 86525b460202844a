import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsrunError } from '../core/error.ts';
import type { Seccomp } from '../config/types.ts';
import { cacheFolder, entryName, readCached } from './cache.ts';
import { filterFlags } from './constants.ts';
import { compileFilter } from './compile.ts';
import { requireKernelSupport } from './kernel-support.ts';
import { filterKey, prepareFilter } from './prepare.ts';
import { needRoot } from '../testing/skip.ts';

const profile: Seccomp = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['mkdir', 'nosuchcall'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 }],
};

describe('prepareFilter', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsrun-seccomp-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });
  const folder = (): string => join(root, cacheFolder);

  it('writes nothing before it is told to keep the filter', () => {
    const { filter, keep } = prepareFilter(profile, join(root, 'state'));
    expect(readdirSync(root)).to.deep.equal([]);
    expect(Buffer.from(filter.program)).to.deep.equal(Buffer.from(compileFilter(profile).program));
    keep();
    expect(readdirSync(join(root, 'state', cacheFolder))).to.have.length(1);
  });

  it('gives the same filter from the cache', () => {
    const first = prepareFilter(profile, root);
    first.keep();
    const second = prepareFilter(profile, root);
    expect(Buffer.from(second.filter.program)).to.deep.equal(Buffer.from(first.filter.program));
    expect(second.filter.unknownSyscalls).to.deep.equal(['nosuchcall']);
    rmSync(folder(), { recursive: true });
    second.keep();
    expect(existsSync(folder())).to.be.false;
  });

  describe('uses no entry that somebody else may have made:', () => {
    /** The only entry of the cache, and what is read of it. */
    const kept = (): { entry: string; read: () => unknown } => {
      prepareFilter(profile, root).keep();
      const [name = ''] = readdirSync(folder());
      const entry = join(folder(), name);
      const read = (): unknown => readCached(folder(), filterKey(profile));
      expect(read()).to.have.property('program');
      return { entry, read };
    };

    it('a symbolic link to a good one', () => {
      const { entry, read } = kept();
      renameSync(entry, join(root, 'elsewhere'));
      symlinkSync(join(root, 'elsewhere'), entry);
      expect(read()).to.equal(undefined);
    });

    it('a good one that others may write', () => {
      const { entry, read } = kept();
      for (const mode of [0o620, 0o602]) {
        chmodSync(entry, mode);
        expect(read(), mode.toString(8)).to.equal(undefined);
      }
      chmodSync(entry, 0o644);
      expect(read()).to.have.property('program');
    });

    it('one of another user', function () {
      needRoot(this);
      const { entry, read } = kept();
      chownSync(entry, 1, 0);
      expect(read()).to.equal(undefined);
    });

    it('a FIFO, and does not wait for its writer', () => {
      const { entry } = kept();
      rmSync(entry);
      execFileSync('mkfifo', [entry]);
      // Elsewhere, since whoever waits for a writer hears nothing else.
      const module = JSON.stringify(new URL('./cache.ts', import.meta.url).href);
      const call = `readCached(${JSON.stringify(folder())}, ${JSON.stringify(filterKey(profile))})`;
      const script = `import(${module}).then(({ readCached }) => console.log(typeof ${call}))`;
      const args = ['--import', 'tsx', '--eval', script];
      const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 15_000 });
      expect(stdout).to.equal('undefined\n');
    });

    it('one in a folder that others may write, or that is a symbolic link', () => {
      const { read } = kept();
      chmodSync(folder(), 0o777);
      expect(read()).to.equal(undefined);
      chmodSync(folder(), 0o700);
      renameSync(folder(), join(root, 'elsewhere'));
      symlinkSync(join(root, 'elsewhere'), folder());
      expect(read()).to.equal(undefined);
    });

    it('one for another key, or a damaged one', () => {
      const { entry, read } = kept();
      const text = readFileSync(entry, 'utf8');
      const other = filterKey({ defaultAction: 'SCMP_ACT_LOG' });
      copyFileSync(entry, join(folder(), entryName(other)));
      expect(readCached(folder(), other)).to.equal(undefined);
      writeFileSync(entry, text.replace('nosuchcall', 'nosuchCall'));
      expect(read()).to.equal(undefined);
    });
  });

  it('has one filter for every agent', () => {
    for (const [listenerPath, listenerMetadata] of [
      ['/a', '1'],
      ['/b', '2'],
    ] as const) {
      prepareFilter({ ...profile, listenerPath, listenerMetadata }, root).keep();
    }
    expect(readdirSync(folder())).to.have.length(1);
  });

  it('gives no profile the filter of another', () => {
    const other: Seccomp = { defaultAction: 'SCMP_ACT_LOG' };
    for (const one of [profile, other, profile, other]) {
      const { filter, keep } = prepareFilter(one, root);
      expect(Buffer.from(filter.program)).to.deep.equal(Buffer.from(compileFilter(one).program));
      keep();
    }
    expect(readdirSync(folder())).to.have.length(2);
  });

  it('refuses a filter the kernel would not take', () => {
    const conditions = (count: number): Seccomp => ({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: Array.from({ length: count }, (_, i) => ({
        names: ['kill'],
        action: 'SCMP_ACT_ERRNO',
        // Of 64 bits, which are compared half by half.
        args: [{ index: 1, value: BigInt(i) << 33n, op: 'SCMP_CMP_EQ' }],
      })),
    });
    expect(() => prepareFilter(conditions(1100), root))
      .to.throw(TsrunError, /a filter of \d+ instructions, the kernel takes 4096/)
      .with.property('pointer', '/linux/seccomp');
    expect(() => prepareFilter(conditions(4097), root))
      .to.throw(TsrunError, /4097 conditions/)
      .with.property('pointer', '/linux/seccomp/syscalls');
  });
});

describe('requireKernelSupport', () => {
  it('lets every flag of the specification pass on this kernel', () => {
    requireKernelSupport({ defaultAction: 'SCMP_ACT_LOG', flags: Object.keys(filterFlags) });
    requireKernelSupport({ defaultAction: 'SCMP_ACT_LOG' });
  });
});
