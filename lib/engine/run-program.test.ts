import { closeSync, openSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { sealedMemfd } from '../native/memfd.ts';
import { pidfdOpen } from '../native/pidfd.ts';
import { isAlive, processStartTime } from '../host/proc.ts';
import { type Program, type ProgramResult, runProgram } from './run-program.ts';

describe('runProgram', () => {
  /** Runs a shell script in it. */
  const shell = (script: string, changes: Partial<Program> = {}): ProgramResult => {
    const stdin = openSync('/dev/null', 'r');
    try {
      return runProgram({
        path: '/bin/sh',
        args: ['sh', '-c', script],
        env: ['PATH=/usr/bin:/bin'],
        stdin,
        cwd: '/',
        ...changes,
      });
    } finally {
      closeSync(stdin);
    }
  };

  it('returns the status and what was written', () => {
    const result = shell('echo out; echo err >&2; exit 3');
    expect(result).to.deep.equal({ status: 3, killed: undefined, stdout: 'out', stderr: 'err' });
    expect(shell('kill -TERM $$').status).to.equal(128 + 15);
  });

  it('gives the program its environment, directory and stdin, and nothing else', () => {
    const stdin = sealedMemfd('input', Buffer.from('hello\n'));
    try {
      const script = 'cat; pwd; env | grep -c .; ls /proc/self/fd | wc -l';
      const { stdout } = shell(script, { stdin, cwd: '/usr', env: ['PATH=/usr/bin:/bin', 'A=b c'] });
      // PATH, A, PWD of the shell's own making; the fourth descriptor is ls looking at the folder.
      expect(stdout.split('\n')).to.deep.equal(['hello', '/usr', '3', '4']);
    } finally {
      closeSync(stdin);
    }
  });

  it('drains any amount of output and keeps the end', () => {
    const { status, stdout } = shell('head -c 3000000 /dev/zero | tr "\\0" x; echo the end');
    expect(status).to.equal(0);
    expect(stdout).to.match(/^x+the end$/);
    expect(stdout.length).to.be.lessThan(4097);
  });

  it('does not wait for what the program leaves behind', () => {
    const begin = performance.now();
    const { status, stdout } = shell('(sleep 3; echo late) & echo early');
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: 'early' });
    expect(performance.now() - begin).to.be.lessThan(2000);
  });

  it('kills a program past its time, with all it has started', async () => {
    const begin = performance.now();
    const { killed, stdout } = shell('sleep 100 & echo $!; sleep 100; true', { timeoutMs: 200 });
    expect(killed).to.equal('timeout');
    expect(performance.now() - begin).to.be.within(190, 2000);
    const sleeper = Number(stdout);
    expect(sleeper).to.be.greaterThan(1);
    // Killed, but not waited for: it is nobody's child any more.
    const runs = (): boolean => isAlive(sleeper, processStartTime(sleeper) ?? -1);
    for (let i = 0; i < 200 && runs(); i++) await delay(10);
    expect(runs()).to.equal(false);
  });

  it('kills a program that nobody needs any more', async () => {
    const container = spawn('sleep', ['0.2']);
    await once(container, 'spawn');
    const whileAlive = pidfdOpen(container.pid ?? 0);
    try {
      const begin = performance.now();
      expect(shell('sleep 100; true', { whileAlive, timeoutMs: 20_000 }).killed).to.equal('unneeded');
      expect(performance.now() - begin).to.be.lessThan(5000);
    } finally {
      closeSync(whileAlive);
    }
  });

  it('says why a program cannot be executed', () => {
    expect(() => shell('', { path: '/nonexistent' })).to.throw(
      TsrunError,
      'execute /nonexistent: no such file or directory',
    );
    expect(() => shell('', { path: '/etc/passwd' })).to.throw(TsrunError, 'permission denied');
  });
});
