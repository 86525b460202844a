import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

const named = process.env['TSRUN_TEST_CRIU'];

/** The environment in which tsrun finds the criu of the tests: that of TSRUN_TEST_CRIU, or the one in $PATH. */
export const criuEnv: Record<string, string> = {
  PATH: [...(named === undefined ? [] : [dirname(named)]), process.env['PATH'] ?? '/usr/bin:/bin'].join(':'),
};

let reason: string | false | undefined;

/**
 * Why no checkpoint can be made here, or undefined. Asked by a dump of a plain process: a criu that starts need not
 * know the kernel it runs on.
 */
export function noCriu(): string | undefined {
  reason ??= trial() ?? false;
  return reason === false ? undefined : reason;
}

function trial(): string | undefined {
  const images = mkdtempSync('/var/tmp/tsrun-test-criu-');
  const sleeper = spawn('sleep', ['100'], { stdio: 'ignore', detached: true });
  try {
    const args = [
      'dump',
      '--tree',
      String(sleeper.pid),
      '--images-dir',
      images,
      '--shell-job',
      '--leave-running',
    ];
    const { error, status } = spawnSync('criu', args, {
      env: { ...process.env, ...criuEnv },
      stdio: 'ignore',
      timeout: 20_000,
    });
    if (error === undefined && status === 0) return undefined;
    const why = error === undefined ? 'cannot dump a process on this kernel' : 'is not installed';
    return `criu ${why}; it can on Debian 12 with its own kernel, or name one with TSRUN_TEST_CRIU`;
  } finally {
    sleeper.kill('SIGKILL');
    rmSync(images, { recursive: true, force: true });
  }
}
