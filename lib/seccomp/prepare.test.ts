import { expect } from 'chai';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsrunError } from '../errors.ts';
import type { Seccomp } from '../spec/types.ts';
import { cacheFolder } from './cache.ts';
import { filterFlags } from './constants.ts';
import { compileFilter } from './compile.ts';
import { requireKernelSupport } from './kernel.ts';
import { prepareFilter } from './prepare.ts';

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

  it('changes nothing before it is told to keep the filter', () => {
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

  it('has one filter for every agent', () => {
    for (const [listenerPath, listenerMetadata] of [
      ['/a', '1'],
      ['/b', '2'],
    ] as const) {
      prepareFilter({ ...profile, listenerPath, listenerMetadata }, root).keep();
    }
    expect(readdirSync(folder())).to.have.length(1);
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
