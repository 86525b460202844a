import { Ctr } from './harness/ctr.ts';
import { sameCallsTest } from './harness/life.ts';

// Whatever the life comes to: that it comes to the same is the test.
sameCallsTest('containerd (ctr)', Ctr.open.bind(Ctr), async (ctr, id) => {
  await ctr.run(`${id}a`, ['sh', '-c', 'exit 3'], '--rm');
  await ctr.run(`${id}b`, ['no-such-command'], '--rm');
  const terminal = ctr.onTerminal(ctr.runArgs(`${id}c`, ['true'], '--rm', '--tty'));
  await terminal.ended;
  await ctr.detached(id, ['sleep', '1000']);
  await ctr.exec(id, ['sh', '-c', 'exit 4']);
  await ctr.exec(id, ['no-such-command']);
  const shell = ctr.onTerminal(['task', 'exec', '--tty', '--exec-id', 'shell', id, 'true']);
  await shell.ended;
  await ctr.ctr(['task', 'ps', id]);
  await ctr.ctr(['task', 'pause', id]);
  await ctr.exec(id, ['true']);
  await ctr.ctr(['task', 'resume', id]);
  await ctr.update(id, { memory: { limit: 64 << 20 }, pids: { limit: 55 } });
  await ctr.ctr(['task', 'kill', '--signal', 'USR1', id]);
  await ctr.ctr(['task', 'kill', '--all', '--signal', 'KILL', id]);
  await ctr.exitStatus(id);
  await ctr.ctr(['container', 'rm', id]);
});
