import type { Finding } from '../finding.ts';
import { error, warning } from '../finding.ts';
import { hookKinds } from '../hook-kinds.ts';
import { parseMountOptions } from '../mount-options.ts';
import { pointerTo } from '../pointer.ts';
import type { Config } from '../types.ts';

/** config-linux.md, "Masked Paths" and "Readonly Paths". */
export function* restrictedPaths({ linux }: Config): Iterable<Finding> {
  for (const name of ['maskedPaths', 'readonlyPaths'] as const) {
    for (const [i, path] of (linux?.[name] ?? []).entries()) {
      if (!path.startsWith('/')) yield error(pointerTo('/linux', name, i), 'must be an absolute path');
    }
  }
}

/** config-linux.md, "Devices". */
export function* devices({ linux }: Config): Iterable<Finding> {
  const seen = new Set<string>();
  for (const [i, { type, path, major, minor, fileMode }] of (linux?.devices ?? []).entries()) {
    const at = pointerTo('/linux/devices', i);
    if (type !== 'p' && (major === undefined || minor === undefined)) {
      yield error(`${at}/${major === undefined ? 'major' : 'minor'}`, `a device of type "${type}" needs it`);
    }
    if (!path.startsWith('/'))
      yield warning(`${at}/path`, 'should be an absolute path; it is taken as one from the root');
    if (path.split('/').includes('..')) yield error(`${at}/path`, 'must not have ".." in it');
    if (/^\/*$/.test(path) || path.endsWith('/'))
      yield error(`${at}/path`, 'must name a file, not a directory');
    if (seen.has(path)) yield error(`${at}/path`, 'this device is given twice');
    seen.add(path);
    if (fileMode !== undefined && looksOctal(fileMode)) {
      const meant = Number.parseInt(String(fileMode), 8);
      yield warning(`${at}/fileMode`, 'is read as a decimal number', `Write ${meant} for 0${fileMode}.`);
    }
  }
}

/** 644, 666 and the like: permissions as chmod(1) takes them, which JSON has no notation for. */
function looksOctal(mode: number): boolean {
  return [600, 620, 640, 644, 660, 664, 666, 700, 755, 777].includes(mode);
}

/** config.md, "POSIX-platform Hooks". */
export function* hooks({ hooks }: Config): Iterable<Finding> {
  for (const kind of hookKinds) {
    for (const [i, { path }] of (hooks?.[kind] ?? []).entries()) {
      if (!path.startsWith('/'))
        yield error(pointerTo('/hooks', kind, i, 'path'), 'must be an absolute path');
    }
  }
}

/** PATH_MAX of the kernel, which counts the NUL. */
const maxPath = 4095;

/** No path longer than this reaches any file; better said here than as ENAMETOOLONG of some system call. */
export function* pathLengths(config: Config): Iterable<Finding> {
  for (const [pointer, path] of allPaths(config)) {
    // Most paths are short; only the others are measured in bytes.
    if (path !== undefined && path.length > maxPath / 3 && Buffer.byteLength(path) > maxPath) {
      yield error(pointer, `must not be longer than ${maxPath} bytes`);
    }
  }
}

function* allPaths({ root, process, mounts, hooks, linux }: Config): Iterable<[string, string | undefined]> {
  yield ['/root/path', root?.path];
  yield ['/process/cwd', process?.cwd];
  for (const [i, mount] of (mounts ?? []).entries()) {
    yield [pointerTo('/mounts', i, 'destination'), mount.destination];
    if (parseMountOptions(mount.options).bind !== 'none')
      yield [pointerTo('/mounts', i, 'source'), mount.source];
  }
  for (const kind of hookKinds) {
    for (const [i, { path }] of (hooks?.[kind] ?? []).entries())
      yield [pointerTo('/hooks', kind, i, 'path'), path];
  }
  for (const [i, { path }] of (linux?.namespaces ?? []).entries()) {
    yield [pointerTo('/linux/namespaces', i, 'path'), path];
  }
  for (const [i, { path }] of (linux?.devices ?? []).entries())
    yield [pointerTo('/linux/devices', i, 'path'), path];
  for (const name of ['maskedPaths', 'readonlyPaths'] as const) {
    for (const [i, path] of (linux?.[name] ?? []).entries()) yield [pointerTo('/linux', name, i), path];
  }
  yield ['/linux/cgroupsPath', linux?.cgroupsPath];
  yield ['/linux/seccomp/listenerPath', linux?.seccomp?.listenerPath];
}
