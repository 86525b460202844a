import type { Finding } from '../finding.ts';
import { error, warning } from '../finding.ts';
import { pointerTo } from '../pointer.ts';
import type { Config } from '../types.ts';

/** config.md, "Root": required on Linux. */
export function* rootIsThere({ root }: Config): Iterable<Finding> {
  if (root === undefined) yield error('/root', 'required property is missing');
}

/** config.md, "Process": optional in the file, needed to make a container. */
export function* processIsThere({ process }: Config): Iterable<Finding> {
  if (process === undefined) yield error('/process', 'required property is missing');
}

export function* args({ process }: Config): Iterable<Finding> {
  if (process === undefined) return;
  if (process.args === undefined || process.args.length === 0) {
    yield error('/process/args', 'must name the command to run', 'For example ["sh"].');
  } else if (process.args[0] === '') {
    yield error('/process/args/0', 'the command is empty');
  }
}

export function* workingDirectory({ process }: Config): Iterable<Finding> {
  if (process !== undefined && !process.cwd.startsWith('/')) {
    yield error('/process/cwd', 'must be an absolute path');
  }
}

/** Programs see such entries in environ, but getenv(3) never finds them; other runtimes let them pass. */
export function* environment({ process }: Config): Iterable<Finding> {
  for (const [i, entry] of (process?.env ?? []).entries()) {
    if (!/^[^=]+=/.test(entry)) yield warning(pointerTo('/process/env', i), 'is not of the form NAME=value');
  }
}

/** To the kernel the id 4294967295 is -1, "leave it as it is": the process would stay root. */
const noId = 0xffffffff;

export function* userIds({ process, linux }: Config): Iterable<Finding> {
  const user = process?.user;
  const ids: [string, number | undefined][] = [
    ['/process/user/uid', user?.uid],
    ['/process/user/gid', user?.gid],
    ...(user?.additionalGids ?? []).map((gid, i): [string, number] => [
      pointerTo('/process/user/additionalGids', i),
      gid,
    ]),
    ...(linux?.devices ?? []).flatMap((device, i): [string, number | undefined][] => [
      [pointerTo('/linux/devices', i, 'uid'), device.uid],
      [pointerTo('/linux/devices', i, 'gid'), device.gid],
    ]),
  ];
  for (const [pointer, id] of ids) if (id === noId) yield error(pointer, 'is no id; it means "unchanged"');
}

/** config.md, "POSIX-platform User": both are required, but other runtimes take a missing one for 0. */
export function* userIdsAreThere({ process }: Config): Iterable<Finding> {
  const user = process?.user;
  if (user === undefined) return;
  if (user.uid === undefined) yield warning('/process/user/uid', 'required property is missing; 0 is used');
  if (user.gid === undefined) yield warning('/process/user/gid', 'required property is missing; 0 is used');
}

export function* umask({ process }: Config): Iterable<Finding> {
  const mask = process?.user?.umask;
  if (mask !== undefined && mask > 0o777) {
    yield warning('/process/user/umask', 'only the permission bits (at most 511) are used');
  }
}

/** Not for the container's own process but for later ones; a malformed list would show only at `exec`. */
export function* execAffinity({ process }: Config): Iterable<Finding> {
  for (const name of ['initial', 'final'] as const) {
    const list = process?.execCPUAffinity?.[name];
    if (list !== undefined && list !== '' && !isNumberList(list)) {
      yield error(pointerTo('/process/execCPUAffinity', name), 'must be a list like 0-3,7');
    }
  }
}

/** A list of numbers and rising ranges: `0-3,7`. */
export function isNumberList(list: string): boolean {
  return list.split(',').every((part) => {
    const [, first, last] = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part) ?? [];
    return first !== undefined && (last === undefined || Number(first) <= Number(last));
  });
}
