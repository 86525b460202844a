import { closeSync, openSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { Undo } from '../core/undo.ts';
import { isAlive, processStat } from '../host/proc.ts';
import { pidfdSignal, reap, waitPidfd } from '../native/pidfd.ts';
import { spawn } from '../native/spawn.ts';
import { openChild } from './open-child.ts';

describe('the process that an init names', () => {
  const sleeper = (): { pid: number; pidfd: number } => {
    const stdio = openSync('/dev/null', 'r+');
    try {
      return spawn({
        executable: '/bin/sleep',
        args: ['sleep', '100'],
        env: [],
        restoreLimits: false,
        fds: [stdio, stdio, stdio],
      });
    } finally {
      closeSync(stdio);
    }
  };
  const end = ({ pidfd }: { pidfd: number }): void => {
    pidfdSignal(pidfd, 9);
    waitPidfd(pidfd, -1);
    reap(pidfd);
    closeSync(pidfd);
  };

  it('is refused and left alone when it is a child of tsrun that does not execute the init', () => {
    const child = sleeper();
    const undo = new Undo();
    try {
      expect(() => openChild(child.pid, '1:2', undo)).to.throw(TsrunError, 'no init of this tsrun');
      undo.fail();
      expect(isAlive(child.pid, processStat(child.pid)?.startTime ?? 0)).to.equal(true);
    } finally {
      end(child);
    }
  });

  it('is refused when it is no child of tsrun', () => {
    expect(() => openChild(1, '1:2', new Undo())).to.throw(TsrunError, 'no init of this tsrun');
  });

  it('is killed when something fails later, once it is taken for the init', () => {
    const child = sleeper();
    const undo = new Undo();
    const { dev, ino } = statSync('/bin/sleep');
    expect(openChild(child.pid, `${dev}:${ino}`, undo).pid).to.equal(child.pid);
    expect(undo.fail()).to.deep.equal([]);
    expect(processStat(child.pid)).to.equal(undefined);
    closeSync(child.pidfd);
  });
});
