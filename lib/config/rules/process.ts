import { error, type Report, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { isNumberList, numberMask } from '../number-list.ts';
import { maxCpus } from '../scheduling.ts';
import type { Process } from '../types.ts';

export function args({ args = [] }: Process, report: Report): void {
  if (args.length === 0) {
    report(error('/process/args', 'must name the command to run', 'For example ["sh"].'));
  } else if (args[0] === '') {
    report(error('/process/args/0', 'the command is empty'));
  }
}

export function workingDirectory({ cwd }: Process, report: Report): void {
  if (!cwd.startsWith('/')) report(error('/process/cwd', 'must be an absolute path'));
}

/** getenv(3) never finds other entries. */
export function environment({ env = [] }: Process, report: Report): void {
  for (const [i, entry] of env.entries()) {
    if (!/^[^=]+=/.test(entry)) report(error(pointerTo('/process/env', i), 'is not of the form NAME=value'));
  }
}

/** NGROUPS_MAX, setgroups(2). */
const mostGroups = 65_536;

export function userIds({ user = {} }: Process, report: Report): void {
  const { uid, gid, additionalGids = [] } = user;
  realId(uid, '/process/user/uid', report);
  realId(gid, '/process/user/gid', report);
  if (additionalGids.length > mostGroups) {
    report(error('/process/user/additionalGids', `must not be more than ${mostGroups}`));
  }
  for (const [i, id] of additionalGids.entries()) realId(id, `/process/user/additionalGids/${i}`, report);
}

/** Refuses the id 4294967295. To the kernel it is -1, "leave it as it is": the process would stay root. */
export function realId(id: number | undefined, pointer: string, report: Report): void {
  if (id === 0xffffffff) report(error(pointer, 'is no id; it means "unchanged"'));
}

/** config.md, "POSIX-platform User": both are required, but other runtimes take a missing one for 0. */
export function userIdsAreThere({ user }: Process, report: Report): void {
  if (user === undefined) return;
  if (user.uid === undefined) report(warning('/process/user/uid', 'required property is missing; 0 is used'));
  if (user.gid === undefined) report(warning('/process/user/gid', 'required property is missing; 0 is used'));
}

export function umask({ user = {} }: Process, report: Report): void {
  if (user.umask !== undefined && user.umask > 0o777) {
    report(warning('/process/user/umask', 'only the permission bits (at most 511) are used'));
  }
}

/** `exec` uses these lists. They are checked by `create`, so that a malformed one is not found out later. */
export function execAffinity({ execCPUAffinity = {} }: Process, report: Report): void {
  for (const name of ['initial', 'final'] as const) {
    const list = execCPUAffinity[name];
    if (list === undefined || list === '') continue;
    const pointer = pointerTo('/process/execCPUAffinity', name);
    if (!isNumberList(list)) report(error(pointer, 'must be a list like 0-3,7'));
    else if (numberMask(list, maxCpus) === undefined) {
      report(error(pointer, `no CPU has a number above ${maxCpus - 1}`));
    }
  }
}
