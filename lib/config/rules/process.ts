import type { Report } from '../../core/finding.ts';
import { error, warning } from '../../core/finding.ts';
import { isNumberList, numberMask } from '../number-list.ts';
import { pointerTo } from '../../core/pointer.ts';
import { maxCpus } from '../scheduling.ts';
import type { Config } from '../types.ts';

/** config.md, "Root": required on Linux. */
export function rootIsThere({ root }: Config, report: Report): void {
  if (root === undefined) report(error('/root', 'required property is missing'));
}

/** config.md, "Process": optional in the file, needed to make a container. */
export function processIsThere({ process }: Config, report: Report): void {
  if (process === undefined) report(error('/process', 'required property is missing'));
}

export function args({ process }: Config, report: Report): void {
  if (process === undefined) return;
  if (process.args === undefined || process.args.length === 0) {
    report(error('/process/args', 'must name the command to run', 'For example ["sh"].'));
  } else if (process.args[0] === '') {
    report(error('/process/args/0', 'the command is empty'));
  }
}

export function workingDirectory({ process }: Config, report: Report): void {
  if (process !== undefined && !process.cwd.startsWith('/')) {
    report(error('/process/cwd', 'must be an absolute path'));
  }
}

/** getenv(3) never finds other entries. */
export function environment({ process }: Config, report: Report): void {
  for (const [i, entry] of (process?.env ?? []).entries()) {
    if (!/^[^=]+=/.test(entry)) report(error(pointerTo('/process/env', i), 'is not of the form NAME=value'));
  }
}

/** To the kernel the id 4294967295 is -1, "leave it as it is": the process would stay root. */
const noId = 0xffffffff;

/** NGROUPS_MAX, setgroups(2). */
const mostGroups = 65_536;

export function userIds({ process, linux }: Config, report: Report): void {
  const check = (id: number | undefined, ...pointer: (string | number)[]): void => {
    if (id === noId) report(error(pointerTo('', ...pointer), 'is no id; it means "unchanged"'));
  };
  const user = process?.user;
  check(user?.uid, 'process', 'user', 'uid');
  check(user?.gid, 'process', 'user', 'gid');
  if ((user?.additionalGids?.length ?? 0) > mostGroups) {
    report(error('/process/user/additionalGids', `must not be more than ${mostGroups}`));
  }
  user?.additionalGids?.forEach((gid, i) => {
    check(gid, 'process', 'user', 'additionalGids', i);
  });
  linux?.devices?.forEach(({ uid, gid }, i) => {
    check(uid, 'linux', 'devices', i, 'uid');
    check(gid, 'linux', 'devices', i, 'gid');
  });
}

/** config.md, "POSIX-platform User": both are required, but other runtimes take a missing one for 0. */
export function userIdsAreThere({ process }: Config, report: Report): void {
  const user = process?.user;
  if (user === undefined) return;
  if (user.uid === undefined) report(warning('/process/user/uid', 'required property is missing; 0 is used'));
  if (user.gid === undefined) report(warning('/process/user/gid', 'required property is missing; 0 is used'));
}

export function umask({ process }: Config, report: Report): void {
  const mask = process?.user?.umask;
  if (mask !== undefined && mask > 0o777) {
    report(warning('/process/user/umask', 'only the permission bits (at most 511) are used'));
  }
}

/** Not for the container's own process but for later ones; a malformed list would show only at `exec`. */
export function execAffinity({ process }: Config, report: Report): void {
  for (const name of ['initial', 'final'] as const) {
    const list = process?.execCPUAffinity?.[name];
    if (list === undefined || list === '') continue;
    const pointer = pointerTo('/process/execCPUAffinity', name);
    if (!isNumberList(list)) report(error(pointer, 'must be a list like 0-3,7'));
    else if (numberMask(list, maxCpus) === undefined) {
      report(error(pointer, `no CPU has a number above ${maxCpus - 1}`));
    }
  }
}
