import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Seccomp } from '../config/types.ts';
import { actions, architectures, filterFlags, operators } from './constants.ts';
import { filterOf } from './profile.ts';

const profile = (given: Partial<Seccomp>): Seccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', ...given });

describe('the numbers of seccomp', () => {
  it('of actions are those of seccomp(2)', () => {
    const values = Object.fromEntries(Object.entries(actions).map(([name, { value }]) => [name, value]));
    expect(values).to.deep.equal({
      SCMP_ACT_KILL: 0,
      SCMP_ACT_KILL_THREAD: 0,
      SCMP_ACT_KILL_PROCESS: 0x80000000,
      SCMP_ACT_TRAP: 0x30000,
      SCMP_ACT_ERRNO: 0x50000,
      SCMP_ACT_NOTIFY: 0x7fc00000,
      SCMP_ACT_TRACE: 0x7ff00000,
      SCMP_ACT_LOG: 0x7ffc0000,
      SCMP_ACT_ALLOW: 0x7fff0000,
    });
    const named = (key: 'takesErrno' | 'permissive'): string[] =>
      Object.keys(actions).filter((name) => actions[name]?.[key] === true);
    expect(named('takesErrno')).to.deep.equal(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE']);
    expect(named('permissive')).to.deep.equal(['SCMP_ACT_TRACE', 'SCMP_ACT_LOG', 'SCMP_ACT_ALLOW']);
  });

  it('of operators are those of enum scmp_compare', () => {
    expect(operators).to.deep.equal({
      SCMP_CMP_NE: 1,
      SCMP_CMP_LT: 2,
      SCMP_CMP_LE: 3,
      SCMP_CMP_EQ: 4,
      SCMP_CMP_GE: 5,
      SCMP_CMP_GT: 6,
      SCMP_CMP_MASKED_EQ: 7,
    });
  });

  it('of flags are those of seccomp(2)', () => {
    expect(filterFlags).to.deep.equal({
      SECCOMP_FILTER_FLAG_TSYNC: 1,
      SECCOMP_FILTER_FLAG_LOG: 2,
      SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
      SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
    });
  });

  it('of architectures are names of libseccomp', () => {
    const names =
      'x86 x86_64 x32 arm aarch64 mips mips64 mips64n32 mipsel mipsel64 mipsel64n32 ppc ppc64 ppc64le s390 s390x parisc parisc64 riscv64 loongarch64 m68k sh sheb'.split(
        ' ',
      );
    expect(Object.entries(architectures)).to.deep.equal(
      names.map((name) => [`SCMP_ARCH_${name.toUpperCase()}`, name]),
    );
  });
});

describe('a profile as a filter', () => {
  it('has the errno of its actions, EPERM without one', () => {
    const { defaultAction, rules } = filterOf(
      profile({
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: [
          { names: ['a'], action: 'SCMP_ACT_ERRNO', errnoRet: 0xffff },
          { names: ['b'], action: 'SCMP_ACT_ERRNO', errnoRet: 0 },
          { names: ['c'], action: 'SCMP_ACT_TRACE', errnoRet: 5 },
          { names: ['d'], action: 'SCMP_ACT_TRACE' },
          { names: ['e'], action: 'SCMP_ACT_KILL_PROCESS' },
          // What happens anyway.
          { names: ['f'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
        ],
      }),
    );
    expect(defaultAction).to.equal(0x50001);
    expect(rules.map(({ syscall, action, pointer }) => [syscall, action, pointer])).to.deep.equal([
      ['a', 0x5ffff, '/linux/seccomp/syscalls/0'],
      ['b', 0x50000, '/linux/seccomp/syscalls/1'],
      ['c', 0x7ff00005, '/linux/seccomp/syscalls/2'],
      ['d', 0x7ff00001, '/linux/seccomp/syscalls/3'],
      ['e', 0x80000000, '/linux/seccomp/syscalls/4'],
    ]);
  });

  it('has every condition with both its values', () => {
    const args = [
      { index: 0, value: 1, valueTwo: 2, op: 'SCMP_CMP_MASKED_EQ' },
      { index: 5, value: -1, op: 'SCMP_CMP_GT' },
    ];
    const { rules } = filterOf(profile({ syscalls: [{ names: ['a', 'b'], action: 'SCMP_ACT_KILL', args }] }));
    const conditions = [
      { index: 0, operator: 7, value: 1n, valueTwo: 2n },
      { index: 5, operator: 6, value: 0xffffffffffffffffn, valueTwo: 0n },
    ];
    expect(rules.map(({ syscall, conditions: all }) => [syscall, all])).to.deep.equal([
      ['a', conditions],
      ['b', conditions],
    ]);
  });

  it('makes one rule for each condition only where an argument has two', () => {
    const conditions = (...indices: number[]): number[][] => {
      const args = indices.map((index, value) => ({ index, value, op: 'SCMP_CMP_EQ' }));
      const { rules } = filterOf(profile({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_KILL', args }] }));
      return rules.map((rule) => rule.conditions.map(({ index }) => index));
    };
    expect(conditions()).to.deep.equal([[]]);
    expect(conditions(2, 1, 0)).to.deep.equal([[2, 1, 0]]);
    expect(conditions(0, 1, 0)).to.deep.equal([[0], [1], [0]]);
  });

  it('has the flags that mean something with its rules', () => {
    const flags = Object.keys(filterFlags);
    const notify: Seccomp['syscalls'] = [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }];
    expect(filterOf(profile({ flags }))).to.deep.include({ flags: 1 | 2 | 4, notify: false });
    expect(filterOf(profile({ flags, syscalls: notify }))).to.deep.include({
      flags: 2 | 4 | 8 | 32,
      notify: true,
    });
    expect(filterOf(profile({ syscalls: notify })).flags).to.equal(4 | 8);
    expect(filterOf(profile({ flags: ['SECCOMP_FILTER_FLAG_LOG'] })).flags).to.equal(2);
  });

  it('answers what came later with ENOSYS where it would deny it otherwise', () => {
    const answers = (defaultAction: string, defaultErrnoRet?: number): boolean =>
      filterOf({ defaultAction, ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }) })
        .unknownIsEnosys;
    for (const action of ['KILL', 'KILL_THREAD', 'KILL_PROCESS', 'TRAP', 'ERRNO']) {
      expect(answers(`SCMP_ACT_${action}`), action).to.be.true;
    }
    for (const action of ['TRACE', 'LOG', 'ALLOW']) expect(answers(`SCMP_ACT_${action}`), action).to.be.false;
    expect(answers('SCMP_ACT_ERRNO', 38)).to.be.false;
    expect(answers('SCMP_ACT_ERRNO', 1)).to.be.true;
  });

  it('names its architectures', () => {
    const { architectures: names } = filterOf(
      profile({ architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_S390'] }),
    );
    expect(names).to.deep.equal(['x86_64', 's390']);
    expect(filterOf(profile({})).architectures).to.deep.equal([]);
  });

  const rule = (given: object): Partial<Seccomp> => ({
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_KILL', ...given }],
  });
  const arg = (given: object): Partial<Seccomp> =>
    rule({ args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ', ...given }] });
  const names = (table: object): string => `known: ${Object.keys(table).join(', ')}`;
  const refused: [given: Partial<Seccomp>, pointer: string, message: string, hint: string | undefined][] = [
    [{ defaultAction: 'X' }, '/defaultAction', 'unknown seccomp action "X"', names(actions)],
    [{ defaultAction: 'toString' }, '/defaultAction', 'unknown seccomp action "toString"', names(actions)],
    [
      { defaultErrnoRet: 1 },
      '/defaultErrnoRet',
      'SCMP_ACT_ALLOW does not return an errno',
      'remove defaultErrnoRet, or use SCMP_ACT_ERRNO',
    ],
    [
      { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 0x10000 },
      '/defaultErrnoRet',
      'an errno has at most 16 bits',
      undefined,
    ],
    [{ architectures: ['X'] }, '/architectures/0', 'unknown seccomp architecture "X"', names(architectures)],
    [{ flags: ['X'] }, '/flags/0', 'unknown seccomp flag "X"', names(filterFlags)],
    [rule({ action: 'X' }), '/syscalls/0/action', 'unknown seccomp action "X"', names(actions)],
    [
      rule({ errnoRet: 1 }),
      '/syscalls/0/errnoRet',
      'SCMP_ACT_KILL does not return an errno',
      'remove errnoRet, or use SCMP_ACT_ERRNO',
    ],
    [
      rule({ names: ['read', 'write'], action: 'SCMP_ACT_NOTIFY' }),
      '/syscalls/0/action',
      'SCMP_ACT_NOTIFY cannot be used for the write syscall',
      'the runtime itself must write to hand the listener over',
    ],
    [arg({ op: 'X' }), '/syscalls/0/args/0/op', 'unknown seccomp operator "X"', names(operators)],
    [
      arg({ index: 6 }),
      '/syscalls/0/args/0/index',
      '6 is no argument of a system call',
      'system calls have arguments 0 to 5',
    ],
  ];
  for (const [given, pointer, message, hint] of refused) {
    it(`is refused: ${message} (${pointer})`, () => {
      expect(() => filterOf(profile(given)))
        .to.throw(TsrunError)
        .that.deep.includes({ code: 'config', pointer: `/linux/seccomp${pointer}`, hint })
        .and.satisfies(({ message: text }: Error) => text.endsWith(message) || text.startsWith(message));
    });
  }

  it('lets an errno be as large as it can, and other calls be written', () => {
    filterOf(profile({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 0xffff }));
    filterOf(profile(rule({ names: ['write'], action: 'SCMP_ACT_ERRNO' })));
    filterOf(profile(arg({ index: 5 })));
  });

  it('is refused with more conditions than the kernel has instructions', () => {
    const conditions = (count: number): Partial<Seccomp> => {
      const two = [0, 1].map((index) => ({ index, value: 1, op: 'SCMP_CMP_EQ' }));
      return {
        syscalls: [
          { names: Array<string>(count / 2).fill('kill'), action: 'SCMP_ACT_KILL', args: two },
          { names: ['read'], action: 'SCMP_ACT_KILL' },
        ],
      };
    };
    expect(filterOf(profile(conditions(4096))).rules).to.have.length(2049);
    expect(() => filterOf(profile(conditions(4098))))
      .to.throw(
        TsrunError,
        'the profile has 4098 conditions on arguments, the kernel takes 4096 instructions',
      )
      .that.includes({ code: 'unsupported', pointer: '/linux/seccomp/syscalls' });
  });
});
