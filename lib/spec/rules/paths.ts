import type { Report } from '../finding.ts';
import { error, warning } from '../finding.ts';
import { hookKinds } from '../hook-kinds.ts';
import { pointerTo } from '../pointer.ts';
import type { Config } from '../types.ts';

/** config-linux.md, "Masked Paths" and "Readonly Paths". */
export function restrictedPaths({ linux }: Config, report: Report): void {
  for (const name of ['maskedPaths', 'readonlyPaths'] as const) {
    for (const [i, path] of (linux?.[name] ?? []).entries()) {
      if (!path.startsWith('/')) report(error(pointerTo('/linux', name, i), 'must be an absolute path'));
      else if (name === 'maskedPaths' && /^[/.]*$/.test(path))
        report(error(pointerTo('/linux', name, i), 'would hide the whole container'));
    }
  }
}

/** config-linux.md, "Devices". */
export function devices({ linux }: Config, report: Report): void {
  const seen = new Set<string>();
  for (const [i, { type, path, major, minor, fileMode }] of (linux?.devices ?? []).entries()) {
    const at = pointerTo('/linux/devices', i);
    if (type !== 'p' && (major === undefined || minor === undefined)) {
      report(
        error(`${at}/${major === undefined ? 'major' : 'minor'}`, `a device of type "${type}" needs it`),
      );
    }
    if (!path.startsWith('/'))
      report(warning(`${at}/path`, 'should be an absolute path; it is taken as one from the root'));
    if (path.split('/').includes('..')) report(error(`${at}/path`, 'must not have ".." in it'));
    if (/^\/*$/.test(path) || path.endsWith('/'))
      report(error(`${at}/path`, 'must name a file, not a directory'));
    if (seen.has(path)) report(error(`${at}/path`, 'this device is given twice'));
    seen.add(path);
    if (fileMode !== undefined && looksOctal(fileMode)) {
      const meant = Number.parseInt(String(fileMode), 8);
      report(warning(`${at}/fileMode`, 'is read as a decimal number', `Write ${meant} for 0${fileMode}.`));
    }
  }
}

/** 644, 666 and the like: permissions as chmod(1) takes them, which JSON has no notation for. */
function looksOctal(mode: number): boolean {
  return [600, 620, 640, 644, 660, 664, 666, 700, 755, 777].includes(mode);
}

/** config.md, "POSIX-platform Hooks". */
export function hooks({ hooks }: Config, report: Report): void {
  for (const kind of hookKinds) {
    for (const [i, { path }] of (hooks?.[kind] ?? []).entries()) {
      if (!path.startsWith('/'))
        report(error(pointerTo('/hooks', kind, i, 'path'), 'must be an absolute path'));
    }
  }
}

/** PATH_MAX of the kernel, which counts the NUL. */
const maxPath = 4095;

/** No path longer than this reaches any file; better said here than as ENAMETOOLONG of some system call. */
export function pathLengths({ root, process, mounts, hooks, linux }: Config, report: Report): void {
  const check = (path: string | undefined, ...pointer: (string | number)[]): void => {
    // Most paths are short; only the others are measured in bytes.
    if (path === undefined || path.length <= maxPath / 3 || Buffer.byteLength(path) <= maxPath) return;
    report(error(pointerTo('', ...pointer), `must not be longer than ${maxPath} bytes`));
  };
  check(root?.path, 'root', 'path');
  check(process?.cwd, 'process', 'cwd');
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
