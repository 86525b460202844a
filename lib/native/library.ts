import type { LibraryHandle } from 'koffi';
import { TsrunError, systemError } from '../core/error.ts';
import { installation } from './install.ts';
import { type Arguments, type FunctionName, prototype } from './signatures.ts';

interface Koffi {
  load: (path: string) => LibraryHandle;
  decode: (pointer: unknown, type: string, length: number) => unknown;
}

let koffi: Koffi | undefined;
let handle: LibraryHandle | undefined;

/**
 * Loads koffi's native module from `path`. koffi's own entry would search several paths, some of them relative to
 * the working directory.
 */
function loadKoffi(path: string): Koffi {
  if (koffi !== undefined) return koffi;
  const module: { exports: Partial<Koffi> } = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (cause) {
    throw cannotLoad(path, cause);
  }
  const { load, decode } = module.exports;
  if (load === undefined || decode === undefined) throw cannotLoad(path, new Error('it is not koffi'));
  koffi = { load, decode };
  return koffi;
}

/** dlopen(3) reports a text, and no errno. */
function cannotLoad(path: string, cause: unknown): TsrunError {
  const words = cause instanceof Error ? cause.message : String(cause);
  const why = words.split('\n', 1)[0] ?? '';
  return new TsrunError('system', `load ${why.includes(path) ? '' : `${path}: `}${why}`, {
    hint: 'the folder of the tsrun executable must hold libtsrun.so and koffi.node, on a filesystem without noexec; limits of memory (ulimit -v) and of open files (ulimit -n) keep them from being loaded, too',
    cause,
  });
}

/** Loads libtsrun.so, at the first call of one of its functions. */
function library(): LibraryHandle {
  if (handle !== undefined) return handle;
  const files = installation();
  const { load } = loadKoffi(files.koffi);
  try {
    handle = load(files.libtsrun);
    return handle;
  } catch (cause) {
    throw cannotLoad(files.libtsrun, cause);
  }
}

/** A shared library of the host. */
export interface HostLibrary {
  /** Declares a function by its C prototype. */
  func(declaration: string): (...args: unknown[]) => unknown;
  /** Reads `length` values of a C type from memory the library returned. */
  decode(pointer: unknown, type: string, length: number): unknown;
}

/** Opens a library by its soname, as dlopen(3) finds it; undefined when the host has none. */
export function openLibrary(soname: string): HostLibrary | undefined {
  const { load, decode } = loadKoffi(installation().koffi);
  try {
    const opened = load(soname);
    return { func: (declaration) => opened.func(declaration), decode };
  } catch {
    return undefined;
  }
}

/** The functions that koffi has been told of: a declaration costs as much as many calls. */
const declared = new Map<FunctionName, (...args: unknown[]) => number>();

/** Calls a function of libtsrun.so. Returns a value >= 0, or -errno. */
export function call<N extends FunctionName>(name: N, ...args: Arguments<N>): number {
  // C would end the string at the NUL, and see another path than the one that was checked.
  const withNul = args.find((value) => typeof value === 'string' && value.includes('\0'));
  if (withNul !== undefined) throw new TsrunError('usage', `${JSON.stringify(withNul)} contains a NUL byte`);
  let native = declared.get(name);
  if (native === undefined) {
    native = library().func(prototype(name)) as (...values: unknown[]) => number;
    declared.set(name, native);
  }
  return native(...args);
}

/**
 * Returns `result`, what call() returned.
 *
 * @param what what the call was to do, in words for the error.
 * @throws TsrunError 'system' when `result` is -errno.
 */
export function checked(what: string, result: number): number {
  if (result < 0) throw systemError(what, result);
  return result;
}

/**
 * Ends tsrun. With the library loaded it ends by _exit(2): Node's own exit takes milliseconds, in which a detached
 * program may end, and nothing is left to be written.
 */
export function exit(status: number): never {
  if (handle !== undefined) call('tsrun_exit', status);
  process.exit(status);
}
