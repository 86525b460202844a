import { error, type Report } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { hookKinds } from '../hook-kinds.ts';
import type { Config } from '../types.ts';

/**
 * Reports each string below a value that has a NUL in it. To the kernel a string ends there: what was checked would not
 * be what is used. Annotations do not reach the kernel.
 *
 * @returns true when there is any.
 */
export function hasNul(value: unknown, pointer: string, report: Report): boolean {
  if (typeof value === 'string') {
    if (!value.includes('\0')) return false;
    report(error(pointer, 'must not contain a NUL'));
    return true;
  }
  if (typeof value !== 'object' || value === null || pointer === '/annotations') return false;
  let found = false;
  for (const [name, child] of Object.entries(value)) {
    const at = pointerTo(pointer, name);
    if (name.includes('\0')) {
      report(error(at, 'the name must not contain a NUL'));
      found = true;
    }
    found = hasNul(child, at, report) || found;
  }
  return found;
}

/** PATH_MAX of the kernel, which counts the NUL. */
const maxPath = 4095;

/** No path longer than this reaches any file. Otherwise some system call would fail with ENAMETOOLONG. */
export function pathLengths(
  { root, process: processSpec, mounts, hooks, linux }: Config,
  report: Report,
): void {
  const check = (path: string | undefined, ...pointer: (string | number)[]): void => {
    // Most paths are short; only the others are measured in bytes.
    if (path === undefined || path.length <= maxPath / 3 || Buffer.byteLength(path) <= maxPath) return;
    report(error(pointerTo('', ...pointer), `must not be longer than ${maxPath} bytes`));
  };
  check(root?.path, 'root', 'path');
  check(processSpec?.cwd, 'process', 'cwd');
  mounts?.forEach(({ destination, source }, i) => {
    check(destination, 'mounts', i, 'destination');
    check(source, 'mounts', i, 'source');
  });
  for (const kind of hookKinds) {
    hooks?.[kind]?.forEach(({ path }, i) => {
      check(path, 'hooks', kind, i, 'path');
    });
  }
  linux?.namespaces?.forEach(({ path }, i) => {
    check(path, 'linux', 'namespaces', i, 'path');
  });
  linux?.devices?.forEach(({ path }, i) => {
    check(path, 'linux', 'devices', i, 'path');
  });
  for (const name of ['maskedPaths', 'readonlyPaths'] as const) {
    linux?.[name]?.forEach((path, i) => {
      check(path, 'linux', name, i);
    });
  }
  check(linux?.cgroupsPath, 'linux', 'cgroupsPath');
  check(linux?.seccomp?.listenerPath, 'linux', 'seccomp', 'listenerPath');
}
