import { expect } from 'chai';
import { closeSync, mkdtempSync } from 'node:fs';
import { connectSocket } from '../../lib/native/socket.ts';
import { listenSocket } from '../../lib/native/testing/libc.ts';
import { type Message, receiveMessage } from '../../lib/engine/message-packet.ts';
import { messages, slots } from '../../lib/plan/wire.ts';
import { clone, errno, errorOf, newNs, program, runOps, scratch, setup, shell } from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';
import type { InitResult } from './testing/run.ts';

describe('init: start', () => {
  const { path, file } = scratch();

  /** Runs `ops` up to waitStart, then connects as `start` does; what comes over that connection. */
  function start(ops: readonly TestOp[]): { result: InitResult; message: Message | undefined } {
    const dir = mkdtempSync(path('gate-'));
    const listener = listenSocket(dir, 'start.sock');
    let connection = -1;
    try {
      const result = runOps([clone(newNs.pid), setup, { op: 'waitStart' }, ...ops], {
        slots: { [slots.start]: listener },
        atWaiting: () => {
          connection = connectSocket(dir, 'start.sock');
        },
      });
      closeSync(listener);
      expect(connection).to.be.greaterThan(-1);
      const received = receiveMessage(connection, 5000);
      return { result, message: received?.message };
    } finally {
      if (connection >= 0) closeSync(connection);
    }
  }

  it('sees the connection close when the program runs', () => {
    const { result, message } = start(shell('echo started'));
    expect(message).to.equal(undefined);
    expect(result.messages.map(({ type }) => type)).to.deep.equal([messages.waiting]);
    expect(result).to.include({ status: 0, stdout: 'started\n' });
  });

  it('gets the error when the program cannot run', () => {
    const late = file('late', '#!/no/interpreter\n');
    const { result, message } = start([
      { op: 'findExecutable', name: late, path: '' },
      { op: 'exec', args: [late], env: [], preserveFds: 0 },
    ]);
    expect(message).to.include({ type: messages.error, op: 4, errno: errno.ENOENT });
    expect(result.status).to.equal(1);
  });

  it('is refused without a socket', () => {
    const message = errorOf([clone(), { op: 'waitStart' }, ...program(['true'])]);
    expect(message).to.include({ op: 1, errno: errno.EBADF, detail: 'slot 1 is empty' });
  });
});
