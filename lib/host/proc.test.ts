import { expect } from 'chai';
import { closeSync, statSync } from 'node:fs';
import { constants as os } from 'node:os';
import { pidfdSignal, reap, waitPidfd } from '../native/pidfd.ts';
import { sealedMemfdOfFile } from '../native/memfd.ts';
import { spawn } from '../native/spawn.ts';
import {
  executableIdentity,
  type FileIdentity,
  isAlive,
  isAliveAndNotExiting,
  parseCgroups,
  parseStat,
  processCgroups,
  processStartTime,
  processStat,
} from './proc.ts';

function startSleep(executable: string | number = '/bin/sleep'): { pid: number; pidfd: number } {
  return spawn({ executable, args: ['sleep', '60'], env: [], fds: [-1, 1, 2], restoreLimits: false });
}

function end(pidfd: number): void {
  pidfdSignal(pidfd, os.signals.SIGKILL);
  waitPidfd(pidfd, -1);
  reap(pidfd);
  closeSync(pidfd);
}

function identityOf(path: string): FileIdentity {
  const { dev, ino } = statSync(path, { bigint: true });
  return { dev, ino };
}

describe('processes in /proc', () => {
  it('have a state, a parent and a start time', () => {
    const { pid, pidfd } = startSleep();
    const stat = processStat(pid);
    expect(stat).to.include({ pid, parent: process.pid });
    const uptime = Number(stat?.startTime) - Number(processStartTime(process.pid));
    expect(uptime).to.be.within(0, 60_000);
    end(pidfd);
    expect(processStat(pid)).to.equal(undefined);
    expect(processStartTime(pid)).to.equal(undefined);
  });

  it('are alive until they end, also when nobody has reaped them', () => {
    const { pid, pidfd } = startSleep();
    const started = processStartTime(pid) ?? -1;
    expect(isAlive(pid, started)).to.equal(true);
    expect(isAlive(pid, started + 1)).to.equal(false);
    expect(isAliveAndNotExiting(pid, started)).to.equal(true);
    expect(isAliveAndNotExiting(pid, started + 1)).to.equal(false);
    pidfdSignal(pidfd, os.signals.SIGKILL);
    waitPidfd(pidfd, -1);
    expect(processStartTime(pid)).to.equal(started);
    expect(isAlive(pid, started)).to.equal(false);
    expect(isAliveAndNotExiting(pid, started)).to.equal(false);
    reap(pidfd);
    closeSync(pidfd);
    expect(isAlive(pid, started)).to.equal(false);
  });

  it('may have any name', () => {
    const rest = `S 12 ${new Array(17).fill('7').join(' ')} 4711 8 9`;
    for (const name of ['sleep', 'a b', ') R 1 (', '((', '))', 'a\nb', '']) {
      expect(parseStat(`42 (${name}) ${rest}`), name).to.deep.equal({
        pid: 42,
        state: 'S',
        parent: 12,
        startTime: 4711,
        ending: true,
      });
    }
    const living = `42 (sleep) S 12 1 1 0 -1 4194560 ${new Array(12).fill('7').join(' ')} 4711`;
    expect(parseStat(living)).to.deep.include({ startTime: 4711, ending: false });
    expect(parseStat('')).to.equal(undefined);
    expect(parseStat('42 (x) S 1 2')).to.equal(undefined);
  });

  it('execute a file with an identity, be it a memfd', () => {
    expect(executableIdentity(process.pid)).to.deep.equal(identityOf(process.execPath));
    const memfd = sealedMemfdOfFile('sleep', '/bin/sleep');
    const { pid, pidfd } = startSleep(memfd);
    expect(executableIdentity(pid)).to.deep.equal(identityOf(`/proc/self/fd/${String(memfd)}`));
    end(pidfd);
    closeSync(memfd);
    expect(executableIdentity(pid)).to.equal(undefined);
  });

  it('are in cgroups', () => {
    const text = '12:name=systemd:/a:b\n4:cpu,cpuacct:/x/y z\n0::/\n\n';
    expect(parseCgroups(text)).to.deep.equal([
      { hierarchy: 12, controllers: ['name=systemd'], path: '/a:b' },
      { hierarchy: 4, controllers: ['cpu', 'cpuacct'], path: '/x/y z' },
      { hierarchy: 0, controllers: [], path: '/' },
    ]);
    expect(processCgroups('self')).to.deep.equal(processCgroups(process.pid));
    const { pid, pidfd } = startSleep();
    expect(processCgroups(pid)?.length).to.be.at.least(1);
    end(pidfd);
    expect(processCgroups(pid)).to.equal(undefined);
  });
});
