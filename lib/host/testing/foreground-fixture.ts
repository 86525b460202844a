/**
 * Plays `tsrun run` for foreground.test.ts: `foreground-fixture.ts pty|plain script` runs `sh -c script` as its
 * container and ends with its exit status, or with 99 when something of its own was not as it should be.
 */
import { closeSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { foreground, holdSignals, releaseSignals, setSubreaper, spawn } from '../native.ts';
import { openPty } from './pty.ts';

function signalState(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return status
    .split('\n')
    .filter((line) => /^Sig(Blk|Ign|Cgt):/.test(line))
    .join('\n');
}

function descriptors(): string {
  return readdirSync('/proc/self/fd').join(' ');
}

const [mode, script = ''] = process.argv.slice(2);
const shell = ['/bin/sh', '-c', script];
const env = [`PATH=${process.env['PATH'] ?? ''}`];
setSubreaper(true);
// The pipe of caught signals stays open for the life of the process: it is made before the comparison.
holdSignals();
releaseSignals();

const before = [signalState(), descriptors()];
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
  restoreNofile: false,
});
if (mode === 'pty') closeSync(stdio[0] ?? -1);
let status = foreground(pidfd, pid, master);
closeSync(pidfd);
const after = [signalState(), descriptors()];
if (after.join() !== before.join()) {
  writeSync(2, `before: ${before.join()}\nafter: ${after.join()}\n`);
  status = 99;
}
process.exit(status);
