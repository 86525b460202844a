// The TypeScript as one CommonJS file, dist/tsrun.cjs: what Node runs, and what Bun compiles.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, dist, filesBelow, install, root, scratch, step } from './step.mjs';

export const bundle = join(dist, 'tsrun.cjs');

/**
 * What `import.meta.url` says inside the bundle. yargs looks for a package.json from the folder before
 * `node_modules` in this path upwards, and from the working directory when there is no such folder: an
 * untrusted bundle could feed it a file, or hang it with a FIFO. So it is a constant that names nothing.
 */
const moduleUrl = 'file:///usr/lib/tsrun/node_modules/bundled/lib/platform-shims/esm.mjs';

/** How esbuild makes the bundle, but for where it goes. @returns {import('esbuild').BuildOptions} */
export function bundleOptions() {
  return {
    entryPoints: [join(root, 'cmd', 'tsrun', 'main.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    define: {
      TSRUN_BUNDLED: 'true',
      TSRUN_VERSION: JSON.stringify(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version),
      TSRUN_COMMIT: JSON.stringify(commit()),
      'import.meta.url': JSON.stringify(moduleUrl),
      'import.meta.dirname': JSON.stringify('/usr/lib/tsrun'),
    },
    logLevel: 'warning',
    absWorkingDir: root,
  };
}

export function buildBundle() {
  const options = bundleOptions();
  const sources = ['cmd', 'lib', 'build/validators', 'schemas']
    .flatMap((folder) => filesBelow(join(root, folder), (name) => /\.(ts|[cm]?js|json)$/.test(name)))
    .filter((file) => !file.endsWith('.test.ts'));
  return step(
    'tsrun.cjs',
    {
      inputs: [...sources, join(root, 'package-lock.json'), join(root, 'tsconfig.json')],
      settings: [JSON.stringify(options)],
      outputs: [bundle],
    },
    async () => {
      const { build } = await import('esbuild');
      const made = join(scratch, 'tsrun.cjs');
      await build({ ...options, outfile: made }).catch(() => {
        throw new BuildError('esbuild could not make the bundle; see above');
      });
      install(made, bundle);
    },
  );
}

function commit() {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}
