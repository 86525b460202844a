import { expect } from 'chai';
import { libseccomp } from '../native/libseccomp.ts';
import type { Seccomp, SeccompRule } from '../config/types.ts';
import { compileFilter } from './compile.ts';
import { enosysStub } from './enosys.ts';
import { askFilter, type Call } from './testing/classic-bpf.ts';

const allow = 0x7fff0000;
const errno = (number: number): number => 0x50000 | number;
const ENOSYS = errno(38);
const EPERM = errno(1);

describe('what compiled filters answer', () => {
  const library = libseccomp();
  const native = library.nativeArch();
  const number = (name: string): number => library.syscall(native, name);

  const conditional = (op: string, value: number | bigint, valueTwo?: number | bigint): Seccomp => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      {
        names: ['socket'],
        action: 'SCMP_ACT_ERRNO',
        args: [{ index: 1, value, op, ...(valueTwo === undefined ? {} : { valueTwo }) }],
      },
    ],
  });
  const answersTo = (profile: Seccomp, arg: bigint): number =>
    askFilter(compileFilter(profile).program, {
      arch: native,
      number: number('socket'),
      args: [7n, arg],
    });

  it('each operator compares as its name says', () => {
    const big = 1n << 40n;
    const denied: Record<string, bigint[]> = {
      SCMP_CMP_NE: [big - 1n, big + 1n, 0n],
      SCMP_CMP_LT: [big - 1n, 0n],
      SCMP_CMP_LE: [big - 1n, big, 0n],
      SCMP_CMP_EQ: [big],
      SCMP_CMP_GE: [big, big + 1n],
      SCMP_CMP_GT: [big + 1n],
    };
    for (const [op, denies] of Object.entries(denied)) {
      for (const arg of [0n, big - 1n, big, big + 1n]) {
        expect(answersTo(conditional(op, big), arg), `${op} ${arg}`).to.equal(
          denies.includes(arg) ? EPERM : allow,
        );
      }
    }
  });

  it('a masked argument is compared with the second value, the mask is the first', () => {
    const profile = conditional('SCMP_CMP_MASKED_EQ', 0xf0, 0x30);
    expect(answersTo(profile, 0x3fn)).to.equal(EPERM);
    expect(answersTo(profile, 0x130n)).to.equal(EPERM);
    expect(answersTo(profile, 0xf0n)).to.equal(allow);
    expect(answersTo(profile, 0x0n)).to.equal(allow);
    // Without a second value: no bit of the mask is set.
    expect(answersTo(conditional('SCMP_CMP_MASKED_EQ', 0xf0), 0xfn)).to.equal(EPERM);
    expect(answersTo(conditional('SCMP_CMP_MASKED_EQ', 0xf0), 0x10n)).to.equal(allow);
  });

  it('two conditions on one argument are alternatives, on two they must both hold', () => {
    const args = (second: number): NonNullable<SeccompRule['args']> => [
      { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
      { index: second, value: 2, op: 'SCMP_CMP_EQ' },
    ];
    const answer = (second: number, ...given: bigint[]): number => {
      const profile: Seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['socket'], action: 'SCMP_ACT_ERRNO', args: args(second) }],
      };
      const call = { arch: native, number: number('socket'), args: given };
      return askFilter(compileFilter(profile).program, call);
    };
    expect(answer(0, 1n)).to.equal(EPERM);
    expect(answer(0, 2n)).to.equal(EPERM);
    expect(answer(0, 3n)).to.equal(allow);
    expect(answer(1, 1n, 2n)).to.equal(EPERM);
    expect(answer(1, 1n, 3n)).to.equal(allow);
    expect(answer(1, 2n, 2n)).to.equal(allow);
  });

  it('a rule that is given twice is taken once', () => {
    const deny = { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 7 };
    const twice: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [deny, deny] };
    const { program } = compileFilter(twice);
    expect(askFilter(program, { arch: native, number: number('mkdir') })).to.equal(errno(7));
    expect(askFilter(program, { arch: native, number: number('read') })).to.equal(allow);
  });

  it('other architectures are answered as well, if they are named', () => {
    const other = library.arch('riscv64') === native ? 's390x' : 'riscv64';
    const token = library.arch(other);
    const call: Call = { arch: token, number: library.syscall(token, 'mkdirat') };
    const all: Seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: [`SCMP_ARCH_${other.toUpperCase()}`, 'SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
      syscalls: [{ names: ['mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 7 }],
    };
    expect(askFilter(compileFilter(all).program, call)).to.equal(errno(7));
    expect(askFilter(compileFilter({ ...all, architectures: [] }).program, call)).to.equal(0);
    expect(askFilter(compileFilter(all).program, { arch: native, number: number('mkdirat') })).to.equal(
      errno(7),
    );
  });

  it('calls newer than the profile answer ENOSYS, older ones what the profile says', () => {
    const profile: Seccomp = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 13,
      syscalls: [{ names: ['read', 'openat2', 'close'], action: 'SCMP_ACT_ALLOW' }],
    };
    const { program } = compileFilter(profile);
    const answer = (call: number): number => askFilter(program, { arch: native, number: call });
    const newest = number('openat2');
    expect(answer(newest)).to.equal(allow);
    expect(answer(newest - 1)).to.equal(errno(13));
    expect(answer(newest + 1)).to.equal(ENOSYS);
    expect(answer(number('read'))).to.equal(allow);
    const permissive = compileFilter({
      ...profile,
      defaultAction: 'SCMP_ACT_LOG',
      defaultErrnoRet: undefined,
    } as never);
    expect(askFilter(permissive.program, { arch: native, number: newest + 1 })).to.equal(0x7ffc0000);
  });

  it('a large profile answers as a small one', () => {
    const names =
      `read write open close stat fstat lstat poll lseek mmap mprotect munmap brk ioctl pread64 pwrite64
      readv writev access pipe select sched_yield mremap msync mincore madvise shmget shmat shmctl dup dup2 pause
      nanosleep getitimer alarm setitimer getpid sendfile socket connect`.split(/\s+/);
    const large: Seccomp = {
      defaultAction: 'SCMP_ACT_KILL',
      syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
    };
    const { program, unknownSyscalls } = compileFilter(large);
    for (const name of names) {
      const call = number(name);
      if (call >= 0) expect(askFilter(program, { arch: native, number: call }), name).to.equal(allow);
    }
    expect(askFilter(program, { arch: native, number: number('accept') })).to.equal(
      number('accept') > Math.max(...names.map(number)) ? ENOSYS : 0,
    );
    expect(unknownSyscalls.filter((name) => number(name) !== -1)).to.deep.equal([]);
  });
});

describe('the stub for newer system calls', () => {
  const through = 0x1234;
  /** The stub with a filter behind it that says it was reached. */
  const ask = (call: Call, ...entries: Parameters<typeof enosysStub>[0][number][]): number => {
    const end = Buffer.alloc(8);
    end.writeUInt16LE(0x06, 0);
    end.writeUInt32LE(through, 4);
    return askFilter(Buffer.concat([enosysStub(entries), end]), call);
  };
  const x32Bit = 0x40000000;
  const intel = { arch: 1, x32: false, newest: 100 };
  const x32 = { arch: 1, x32: true, newest: 50 };
  const other = { arch: 2, x32: false, newest: 10 };

  it('is empty without architectures', () => {
    expect(enosysStub([])).to.have.length(0);
    expect(ask({ arch: 1, number: 1000 })).to.equal(through);
  });

  it('compares with the newest of the same architecture', () => {
    for (const entries of [
      [intel, other, x32],
      [x32, other, intel],
      [other, intel, x32],
    ]) {
      expect(ask({ arch: 1, number: 100 }, ...entries)).to.equal(through);
      expect(ask({ arch: 1, number: 101 }, ...entries)).to.equal(ENOSYS);
      expect(ask({ arch: 2, number: 10 }, ...entries)).to.equal(through);
      expect(ask({ arch: 2, number: 11 }, ...entries)).to.equal(ENOSYS);
      expect(ask({ arch: 3, number: 1000 }, ...entries)).to.equal(through);
      expect(ask({ arch: 1, number: x32Bit | 50 }, ...entries)).to.equal(through);
      expect(ask({ arch: 1, number: x32Bit | 51 }, ...entries)).to.equal(ENOSYS);
      expect(ask({ arch: 1, number: x32Bit | 0 }, ...entries)).to.equal(through);
    }
  });

  it('leaves x32 to the filter where the profile has none, and the rest where it has only x32', () => {
    expect(ask({ arch: 1, number: x32Bit | 1000 }, intel)).to.equal(through);
    expect(ask({ arch: 1, number: 1000 }, intel)).to.equal(ENOSYS);
    expect(ask({ arch: 1, number: 1000 }, x32)).to.equal(through);
    expect(ask({ arch: 1, number: x32Bit | 1000 }, x32)).to.equal(ENOSYS);
  });
});
