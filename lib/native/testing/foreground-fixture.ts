/**
 * Plays `tsrun run` for foreground.test.ts: `foreground-fixture.ts mode script` runs `sh -c script` as its
 * container and ends with its exit status, or with 99 when something of its own was not as it should be. Modes:
 *   plain    the container has our stdio
 *   pty      the container has a pty
 *   held     as plain, and a SIGUSR2 comes before the container is there
 *   threads  as plain, and threads of ours signal each other, as a garbage collector does
 */
import { once } from 'node:events';
import { closeSync, existsSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { foreground, holdSignals, releaseSignals } from '../foreground.ts';
import { setSubreaper } from '../child.ts';
import { spawn } from '../spawn.ts';
import { openPty } from './pty.ts';

function signalState(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return status
    .split('\n')
    .filter((line) => /^Sig(Blk|Ign|Cgt):/.test(line))
    .join('\n');
}

/** Open descriptors, without the one that lists them. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fd/${fd}`));
}

/** What is as it should not be. What the engine itself has opened meanwhile it closes soon, if it is let. */
async function changes(before: { signals: string; fds: string[] }): Promise<string> {
  let found = '';
  for (let tries = 0; tries < 200; tries++) {
    const more = descriptors().filter((fd) => !before.fds.includes(fd));
    const signals = signalState();
    found = more.length > 0 ? `descriptors ${more.join(' ')} were left open` : '';
    if (signals !== before.signals) found += `signals before: ${before.signals}\nafter: ${signals}`;
    if (found === '') break;
    await delay(20);
  }
  return found;
}

const [mode, script = ''] = process.argv.slice(2);
const shell = ['/bin/sh', '-c', script];
const env = [`PATH=${process.env['PATH'] ?? ''}`];
setSubreaper(true);
// The pipe of caught signals stays open for the life of the process: it is made before the comparison.
holdSignals();
releaseSignals();

/** Sends SIGUSR2 from thread to thread, then SIGTERM to the process. */
const threadSignals = `
  const libc = require('koffi').load('libc.so.6');
  const tgkill = libc.func('int tgkill(int, int, int)');
  const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  wait(300);
  for (let i = 0; i < 20; i++) { tgkill(process.pid, process.pid, 12); wait(5); }
  wait(100);
  process.kill(process.pid, 'SIGTERM');
`;
if (mode === 'held') {
  holdSignals();
  process.kill(process.pid, 'SIGUSR2');
}
if (mode === 'threads') {
  const worker = new Worker(threadSignals, { eval: true });
  await once(worker, 'online');
  worker.unref();
}

const before = { signals: signalState(), fds: descriptors() };
// As `tsrun run` does: a signal that comes once the container runs is for the container.
if (mode !== 'held') holdSignals();
let master = -1;
let stdio = [0, 1, 2];
if (mode === 'pty') {
  const pty = openPty();
  master = pty.master;
  stdio = [pty.slave, pty.slave, pty.slave];
}
const { pid, pidfd } = spawn({
  executable: '/usr/bin/setsid',
  args: ['setsid', ...(mode === 'pty' ? ['-c'] : []), ...shell],
  env,
  fds: stdio,
  restoreLimits: false,
});
if (mode === 'pty') closeSync(stdio[0] ?? -1);
let status = foreground(pidfd, pid, master);
closeSync(pidfd);
if (mode === 'plain' || mode === 'pty') {
  const found = await changes(before);
  if (found !== '') {
    writeSync(2, `${found}\n`);
    status = 99;
  }
}
process.exit(status);
