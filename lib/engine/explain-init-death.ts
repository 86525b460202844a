import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { controllerDirectory, type CgroupRecord } from '../cgroup/record.ts';
import { TsrunError } from '../core/error.ts';
import type { Config } from '../config/types.ts';
import { deniedToInit } from '../seccomp/init-needs.ts';
import { signalName } from '../host/signals.ts';

/** 128 + signal of an init that its filter has killed: SIGSYS, or SIGILL when exit_group(2) is denied, too. */
const killedBySeccomp = [128 + 31, 128 + 4];

/** The hint for a seccomp profile that has killed the init. */
export function seccompHint(config: Config): string {
  const missing = deniedToInit(config).map((name) => `${name}(2)`);
  const names = missing.length === 0 ? 'what the init calls after it is loaded' : missing.join(', ');
  const later = 'with process.noNewPrivileges it is loaded last, and must allow execve(2) only';
  return `the seccomp profile must allow ${names}${missing.length > 1 ? `; ${later}` : ''}`;
}

/** True for an exit status that only a seccomp filter leads to. */
export function endedBySeccomp(status: number | undefined): boolean {
  return status !== undefined && killedBySeccomp.includes(status);
}

/**
 * Why the init has ended without a message. The usual reason is a memory limit that is too low even for the init.
 *
 * @param status exit status as a shell shows it; undefined when it is unknown.
 */
export function explainDeath(
  config: Config,
  cgroup: CgroupRecord | undefined,
  status: number | undefined,
): TsrunError {
  const limit = config.linux?.resources?.memory?.limit;
  if (limit !== undefined && cgroup !== undefined && wasOomKilled(cgroup)) {
    return new TsrunError(
      'init',
      `the init was killed: the memory limit of ${limit} bytes is too low to start a process`,
      { pointer: '/linux/resources/memory/limit', hint: 'raise the limit' },
    );
  }
  if (endedBySeccomp(status) && config.linux?.seccomp !== undefined) {
    return new TsrunError('init', "the filter killed the container's init before the process could run", {
      pointer: '/linux/seccomp',
      hint: seccompHint(config),
    });
  }
  return new TsrunError('init', `the container's init ${howItEnded(status)} before the process could run`);
}

/** `was killed by SIGKILL`, for an exit status as a shell shows it. */
export function howItEnded(status: number | undefined): string {
  if (status === undefined) return 'ended';
  return status > 128 ? `was killed by ${signalName(status - 128)}` : `ended with status ${status}`;
}

/** True when the kernel has killed a process in the cgroup because its memory limit was reached. */
function wasOomKilled(cgroup: CgroupRecord): boolean {
  const [controller, file] = cgroup.version === 2 ? ['', 'memory.events'] : ['memory', 'memory.oom_control'];
  const directory = controllerDirectory(cgroup, controller);
  if (directory === undefined) return false;
  const kills = /^oom_kill (\d+)$/m.exec(readOrNothing(join(directory, file)));
  return Number(kills?.[1] ?? 0) > 0;
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
