import { expect } from 'chai';
import { closeSync, readFileSync } from 'node:fs';
import { sealedMemfd } from '../../lib/native/memfd.ts';
import type { Message } from '../../lib/engine/message-packet.ts';
import { faults, hookFailedErrno, type OpOf, slots } from '../../lib/plan/wire.ts';
import { clone, errno, errorOf, newNs, outputOf, program, scratch, setup, shell } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import type { InitRequest } from './testing/run.ts';

describe('init: hooks', () => {
  const { path, file } = scratch();

  const state = '{"status":"creating"}';
  const hook = (script: string, timeoutMs = 0): TestOp => ({
    op: 'hook',
    path: '/bin/sh',
    args: ['hook', '-c', script],
    env: ['PATH=/usr/bin:/bin', 'COLOR=blue'],
    timeoutMs,
    stateSlot: slots.stateCreating,
    flags: 0,
  });
  /** `go` with the state memfds. */
  const withState = (action: (request: Partial<InitRequest>) => void): void => {
    const fds = [sealedMemfd('creating', Buffer.from(state)), sealedMemfd('created', Buffer.from('{}'))];
    try {
      action({ atSync: () => fds });
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  };
  const failing = (...hooks: TestOp[]): Message => {
    let message: Message | undefined;
    withState((request) => {
      message = errorOf([clone(newNs.uts | newNs.pid), setup, ...hooks, ...program(['true'])], request);
    });
    if (message === undefined) throw new Error('no message');
    return message;
  };

  it('each get the state on stdin, their environment, default signals and no other descriptor', () => {
    const out = path('hooks');
    const script =
      `(cat; echo; echo $0 $COLOR; grep ^Sig /proc/self/status; for n in 3 4 5 6 7 8 9 10 11; do` +
      ` [ -e /proc/self/fd/$n ] && echo open $n; done; echo 1>&2; echo) >> ${out}`;
    withState((request) => {
      outputOf([clone(), setup, hook(script), hook(script), ...program(['true'])], request);
    });
    const once = `${state}\nhook blue\nSigQ:`;
    const written = readFileSync(out, 'utf8');
    expect(written.split(once)).to.have.length(3);
    expect(written).not.to.contain('open');
    expect(written).to.match(/SigIgn:\t0+\n/);
  });

  it('that fail stop the container, with status and output in the error', () => {
    expect(failing(hook('echo to stdout; echo to stderr >&2; exit 3'))).to.include({
      op: 2,
      errno: hookFailedErrno,
      detail: 'exit status 3: to stdout\nto stderr',
    });
    expect(failing(hook('true'), hook('exit 1'))).to.include({
      op: 3,
      errno: hookFailedErrno,
      detail: 'exit status 1',
    });
    expect(failing(hook('kill -KILL $$'))).to.include({
      errno: hookFailedErrno,
      detail: 'killed by signal 9',
    });
  });

  it('report why one cannot be executed', () => {
    const nowhere = '/no/such/hook';
    const missing: OpOf<'hook'> = {
      op: 'hook',
      origin: '',
      path: nowhere,
      args: [],
      env: [],
      timeoutMs: 0,
      stateSlot: slots.stateCreating,
      flags: 0,
    };
    expect(failing(missing)).to.include({ op: 2, errno: errno.ENOENT, detail: nowhere });
    const script = file('bad-hook', '#!/no/interpreter\n');
    expect(failing({ ...missing, path: script }).detail).to.contain('/no/interpreter');
    expect(failing({ ...missing, stateSlot: slots.first }).errno).to.equal(errno.EBADF);
  });

  it('are killed when they run past their timeout', () => {
    const started = Date.now();
    expect(failing(hook('echo working; exec sleep 30', 200))).to.include({
      op: 2,
      errno: errno.ETIMEDOUT,
      value: faults.timeout,
      detail: 'working',
    });
    expect(Date.now() - started).to.be.within(200, 5000);
  });

  it('may write any amount, of which the error has the end', () => {
    const { detail, errno: code } = failing(
      hook('head -c 3000000 /dev/zero | tr "\\0" x; echo; echo the end; exit 4'),
    );
    expect(code).to.equal(hookFailedErrno);
    expect(detail).to.match(/^exit status 4: x+\nthe end$/);
    expect(detail.length).to.be.lessThan(2100);
  });

  it('end with their process, although a child holds their output', () => {
    const started = Date.now();
    withState((request) => {
      outputOf([clone(), setup, hook('sleep 3 & exit 0'), ...program(['true'])], request);
    });
    expect(Date.now() - started).to.be.lessThan(2500);
  });

  it('need not read stdin, and leave no zombie in the container', () => {
    withState((request) => {
      const zombies = 'cat /proc/[0-9]*/stat 2>/dev/null | grep -c "^[0-9]* (true) Z"; true';
      const stdout = outputOf(
        [clone(newNs.pid), setup, hook('(true &) ; (true &); sleep 0.1'), ...shell(zombies)],
        request,
      );
      expect(stdout).to.equal('0\n');
    });
  });
});
