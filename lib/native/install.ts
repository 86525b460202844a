import { readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** True in the bundles that esbuild makes, where it is a constant; undefined when run from source. */
declare const TSRUN_BUNDLED: boolean | undefined;

/** CommonJS's variable, in the bundle for Node. */
declare const __dirname: string;

/** Absolute paths of the product's own files. */
export interface Installation {
  /** libtsrun.so. */
  libtsrun: string;
  /** The static init that becomes the container's first process. */
  init: string;
  /** koffi's native module. */
  koffi: string;
}

/**
 * Finds the files beside the running code. They never depend on the environment or the working directory: root
 * starts tsrun in directories of other users.
 */
export function installation(): Installation {
  if (typeof TSRUN_BUNDLED !== 'undefined' && TSRUN_BUNDLED) {
    // /proc/self/exe, because argv[0] is chosen by the caller.
    const folder =
      process.versions['bun'] === undefined ? __dirname : dirname(readlinkSync('/proc/self/exe'));
    return {
      libtsrun: join(folder, 'libtsrun.so'),
      init: join(folder, 'tsrun-init'),
      koffi: join(folder, 'koffi.node'),
    };
  }
  const repository = join(import.meta.dirname, '../..');
  const platform = `linux-${process.arch}`;
  return {
    libtsrun: join(repository, 'dist/libtsrun.so'),
    init: join(repository, 'dist/tsrun-init'),
    koffi: join(
      repository,
      `node_modules/@koromix/koffi-${platform}/${platform.replace('-', '_')}/koffi.node`,
    ),
  };
}
