import { expect } from 'chai';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsrunError } from '../core/error.ts';
import type { Seccomp } from '../config/types.ts';
import { entryName, keyText, readCached, writeCached } from './cache.ts';
import { compileFilter } from './compile.ts';
import { enosysStub } from './enosys.ts';
import { filterOf } from './profile.ts';

const allowSome = (names: string[]): Seccomp => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
});

describe('seccomp profiles', () => {
  const refused: [string, Seccomp, string][] = [
    ['an unknown action', { defaultAction: 'SCMP_ACT_MAYBE' }, '/linux/seccomp/defaultAction'],
    [
      'an errno of an action without one',
      { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 },
      '/linux/seccomp/defaultErrnoRet',
    ],
    [
      'an unknown architecture',
      { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['VAX'] },
      '/linux/seccomp/architectures/0',
    ],
    ['an unknown flag', { defaultAction: 'SCMP_ACT_ALLOW', flags: ['FAST'] }, '/linux/seccomp/flags/0'],
    [
      'a seventh argument',
      {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [
          { names: ['read'], action: 'SCMP_ACT_ERRNO', args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] },
        ],
      },
      '/linux/seccomp/syscalls/0/args/0/index',
    ],
    [
      'notification of write',
      { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }] },
      '/linux/seccomp/syscalls/0/action',
    ],
  ];
  for (const [what, profile, pointer] of refused) {
    it(`refuse ${what}, with its pointer`, () => {
      expect(() => filterOf(profile))
        .to.throw(TsrunError)
        .with.property('pointer', pointer);
    });
  }

  it('allow speculation only when flags are absent', () => {
    expect(filterOf({ defaultAction: 'SCMP_ACT_ALLOW' }).flags).to.equal(4);
    expect(filterOf({ defaultAction: 'SCMP_ACT_ALLOW', flags: [] }).flags).to.equal(0);
  });

  it('make alternatives of conditions on one argument', () => {
    const args = [1, 2].map((value) => ({ index: 0, value, op: 'SCMP_CMP_EQ' }));
    const { rules } = filterOf({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: ['personality'], action: 'SCMP_ACT_ALLOW', args }],
    });
    expect(rules.map((rule) => rule.conditions.length)).to.deep.equal([1, 1]);
  });

  it('keep 64-bit values exact', () => {
    const value = 18446744073709551615n;
    const { rules } = filterOf({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] },
      ],
    });
    expect(rules[0]?.conditions[0]?.value).to.equal(value);
  });
});

describe('compiled filters', () => {
  it('are whole programs, and name what libseccomp does not know', () => {
    const compiled = compileFilter(allowSome(['read', 'write', 'nosuchcall']));
    expect(compiled.program.length % 8).to.equal(0);
    expect(compiled.unknownSyscalls).to.deep.equal(['nosuchcall']);
  });

  it('have the stub for newer system calls only when the default would deny them', () => {
    const stub = enosysStub([{ arch: 1, x32: false, newest: 2 }]).length;
    expect(stub).to.be.greaterThan(0);
    const denying = compileFilter(allowSome(['read'])).program;
    const already = compileFilter({ ...allowSome(['read']), defaultErrnoRet: 38 }).program;
    expect(denying.length).to.be.greaterThan(already.length);
  });
});

describe('the cache of filters', () => {
  let folder: string;
  const filter = {
    program: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    flags: 4,
    notify: false,
    unknownSyscalls: [],
  };
  const key = { profile: allowSome(['read']), libseccomp: '2.5.4', architecture: 'x64', kernel: '6.1' };
  const text = keyText(key);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-seccomp-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('gives back what was stored', () => {
    writeCached(folder, text, filter);
    const cached = readCached(folder, text);
    expect(cached && { ...cached, program: [...cached.program] }).to.deep.equal({
      ...filter,
      program: [...filter.program],
    });
  });

  it('has another name for everything a filter depends on', () => {
    const others = [
      { ...key, profile: allowSome(['write']) },
      { ...key, libseccomp: '2.6.0' },
      { ...key, architecture: 'arm64' },
      { ...key, kernel: '6.2' },
    ];
    expect(new Set([key, ...others].map(keyText)).size).to.equal(5);
    expect(new Set([key, ...others].map((one) => entryName(keyText(one)))).size).to.equal(5);
  });

  it('does not believe an entry that was changed, is another one, or could be written by others', () => {
    writeCached(folder, text, filter);
    const path = join(folder, entryName(text));
    const entry = readFileSync(path, 'utf8');
    writeFileSync(path, entry.replace('"flags":4', '"flags":0'));
    expect(readCached(folder, text), 'changed').to.equal(undefined);
    const other = keyText({ ...key, kernel: '6.2' });
    writeFileSync(join(folder, entryName(other)), entry, { mode: 0o600 });
    expect(readCached(folder, other), 'copied').to.equal(undefined);
    writeFileSync(path, entry);
    chmodSync(path, 0o666);
    expect(readCached(folder, text), 'writable by others').to.equal(undefined);
    chmodSync(path, 0o600);
    chmodSync(folder, 0o777);
    expect(readCached(folder, text), 'folder writable by others').to.equal(undefined);
  });

  it('keeps at most 64 filters', () => {
    for (let i = 0; i < 80; i++) writeCached(folder, keyText({ ...key, kernel: String(i) }), filter);
    expect(readdirSync(folder).length).to.be.at.most(64);
  });
});
