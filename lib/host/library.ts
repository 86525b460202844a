import type { LibraryHandle } from 'koffi';
import { TsrunError } from '../errors.ts';
import { installation } from './install.ts';

let handle: LibraryHandle | undefined;

/** libtsrun.so, loaded at the first call of any function of it. */
function library(): LibraryHandle {
  if (handle !== undefined) return handle;
  const files = installation();
  try {
    // koffi's own entry looks for its native module along several paths, some of them relative to the
    // working directory; here there is exactly one place.
    const module: { exports: { load?: (path: string) => LibraryHandle } } = { exports: {} };
    process.dlopen(module, files.koffi);
    const { load } = module.exports;
    if (load === undefined) throw new Error(`${files.koffi} has no load()`);
    handle = load(files.library);
    return handle;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TsrunError('internal', `load ${files.library}: ${why}`, {
      hint: `The folder of the tsrun executable is incomplete: it must hold libtsrun.so and koffi.node.`,
      cause,
    });
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
