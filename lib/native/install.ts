import { readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** True in the bundles esbuild makes, where it is a constant; it does not exist when run from source. */
declare const TSRUN_BUNDLED: boolean | undefined;

/** CommonJS's own, in the bundle for Node. */
declare const __dirname: string;

/** Where the product's own files are, as absolute paths. */
export interface Installation {
  /** libtsrun.so. */
  libtsrun: string;
  /** The static init that becomes the container's first process. */
  init: string;
  /** koffi's native module. */
  koffi: string;
}

/**
 * The files beside the code that runs. Never a function of the environment or the working directory: root
 * starts tsrun in directories of other people.
 */
export function installation(): Installation {
  if (typeof TSRUN_BUNDLED !== 'undefined' && TSRUN_BUNDLED) {
    // A compiled engine carries its script inside, so the place that counts is the executable's, and argv[0]
    // is the caller's word for it.
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
