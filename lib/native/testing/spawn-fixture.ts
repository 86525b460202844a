/** Spawns `touch FILE`, which shall not outlive this process, and waits for it: for spawn.test.ts. */
import { openSync } from 'node:fs';
import { reap, waitPidfd } from '../pidfd.ts';
import { spawn } from '../spawn.ts';

const [file = ''] = process.argv.slice(2);
const nothing = openSync('/dev/null', 'r+');
const { pidfd } = spawn({
  executable: '/usr/bin/touch',
  args: ['touch', file],
  env: [],
  fds: [nothing, nothing, nothing],
  restoreLimits: false,
  endWithTsrun: true,
});
waitPidfd(pidfd, -1);
process.exitCode = reap(pidfd) ?? 1;
