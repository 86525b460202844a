import { posix } from 'node:path';
import type { Report } from '../../core/finding.ts';
import { error, warning } from '../../core/finding.ts';
import { hookKinds } from '../hook-kinds.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { Config, Device } from '../types.ts';

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
  const seen = new Map<string, Device>();
  for (const [i, device] of (linux?.devices ?? []).entries()) {
    const { type, path, major, minor, fileMode } = device;
    const at = pointerTo('/linux/devices', i);
    if (type !== 'p' && (major === undefined || minor === undefined)) {
      report(
        error(`${at}/${major === undefined ? 'major' : 'minor'}`, `a device of type "${type}" needs it`),
      );
    }
    if (!path.startsWith('/'))
      report(warning(`${at}/path`, 'should be an absolute path; it is taken as one from the root'));
    if (path.split('/').includes('..')) report(error(`${at}/path`, 'must not have ".." in it'));
    const place = posix.resolve('/', path);
    if (place === '/') report(error(`${at}/path`, 'must name a file, not a directory'));
    const before = seen.get(place);
    if (before === undefined) seen.set(place, device);
    else deviceTwice(before, device, at, report);
    if (fileMode !== undefined && looksOctal(fileMode)) {
      const meant = Number.parseInt(String(fileMode), 8);
      report(warning(`${at}/fileMode`, 'is read as a decimal number', `Write ${meant} for 0${fileMode}.`));
    }
  }
}

/** Engines add a device to all of the host's, and it is among them. */
function deviceTwice(before: Device, device: Device, at: string, report: Report): void {
  const what = ({ type, major, minor }: Device): string =>
    `${type === 'u' ? 'c' : type} ${major ?? 0} ${minor ?? 0}`;
  const how = ({ fileMode, uid, gid }: Device): string => `${fileMode ?? 0o666} ${uid ?? 0} ${gid ?? 0}`;
  if (what(before) !== what(device)) {
    report(error(`${at}/path`, 'another device is given for this path, too'));
  } else if (how(before) !== how(device)) {
    report(warning(`${at}/path`, 'this device is given twice; mode and owner of the first one count'));
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
