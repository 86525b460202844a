import type { LibraryHandle } from 'koffi';
import { TsrunError } from '../core/error.ts';
import { installation } from './install.ts';

interface Koffi {
  load: (path: string) => LibraryHandle;
  decode: (pointer: unknown, type: string, length: number) => unknown;
}

let koffi: Koffi | undefined;
let handle: LibraryHandle | undefined;

/**
 * koffi's native module. Its own entry looks for it along several paths, some of them relative to the working
 * directory; here there is exactly one place.
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

/** dlopen(3) has no errno, only words. */
function cannotLoad(path: string, cause: unknown): TsrunError {
  const words = cause instanceof Error ? cause.message : String(cause);
  const why = words.split('\n', 1)[0] ?? '';
  return new TsrunError('system', `load ${why.includes(path) ? '' : `${path}: `}${why}`, {
    hint: 'the folder of the tsrun executable must hold libtsrun.so and koffi.node, on a filesystem without noexec; limits of memory (ulimit -v) and of open files (ulimit -n) keep them from being loaded, too',
    cause,
  });
}

/** libtsrun.so, loaded at the first call of any function of it. */
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

/** A shared library of the host's. */
export interface HostLibrary {
  /** A function by its C declaration. */
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

/** What the functions of libtsrun.so take: numbers, strings without NUL, and memory they read or fill. */
type Argument = number | string | null | Uint8Array | Int32Array;

/** A function of libtsrun.so that takes these arguments. It returns -errno when it fails. */
export type Native<A extends readonly Argument[]> = (...args: A) => number;

/**
 * A function of libtsrun.so, by its C declaration. It is declared to koffi at its first call, since each
 * declaration costs as much as many calls.
 */
export function native(declaration: string): Native<readonly Argument[]> {
  let call: Native<readonly Argument[]> | undefined;
  return (...args) => {
    // C would see a shorter path than the one that was checked.
    const withNul = args.find((value) => typeof value === 'string' && value.includes('\0'));
    if (withNul !== undefined)
      throw new TsrunError('usage', `${JSON.stringify(withNul)} contains a NUL byte`);
    call ??= library().func(declaration) as Native<readonly Argument[]>;
    return call(...args);
  };
}

const exitNative: Native<[number]> = native('int tsrun_exit(int)');

/**
 * Ends tsrun. At once, when the library is loaded anyway: Node's own way out takes milliseconds, in which a program
 * that was started detached may have ended, and there is nothing left that it would have to write.
 */
export function exit(status: number): never {
  if (handle !== undefined) exitNative(status);
  process.exit(status);
}
