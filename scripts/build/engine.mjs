// dist/tsrun-engine: the bundle compiled with Bun into one executable.

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { replaceCrashText } from './crash-text.mjs';
import { BuildError, dist, install, root, run, scratch, step } from './step.mjs';

/**
 * The autoload flags are a matter of security: without them a bunfig.toml, .env, tsconfig.json or package.json
 * in the working directory, an untrusted bundle, steers a program that runs as root.
 */
const flags = [
  '--compile',
  '--minify',
  '--bytecode',
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
  '--no-compile-autoload-tsconfig',
  '--no-compile-autoload-package-json',
  '--compile-jit-policy=100',
];

export function buildEngine() {
  const output = join(dist, 'tsrun-engine');
  const cpu = process.arch === 'arm64' ? 'aarch64' : process.arch;
  const bun = join(root, 'node_modules', '@oven', `bun-linux-${cpu}`, 'bin', 'bun');
  if (!existsSync(bun)) {
    console.log(`build: @oven/bun-linux-${cpu} is not installed: tsrun will run on Node only`);
    rmSync(output, { force: true });
    return;
  }
  const settings = [...flags, bun, String(statSync(bun).size)];
  const script = fileURLToPath(new URL('crash-text.mjs', import.meta.url));
  step('tsrun-engine', { inputs: [bundle, script], settings, outputs: [output] }, () => {
    const made = join(scratch, 'tsrun-engine');
    const { stdout, stderr } = run(bun, ['build', ...flags, bundle, '--outfile', made], {
      cwd: scratch,
      env: { PATH: process.env['PATH'], HOME: scratch },
    });
    // Bun may report an error, leave a broken file and still exit with 0.
    if (/\berror\b/i.test(stdout + stderr) || !existsSync(made)) {
      throw new BuildError(`bun build failed:\n${stdout}${stderr}`);
    }
    const bytes = readFileSync(made);
    replaceCrashText(bytes);
    writeFileSync(made, bytes);
    install(made, output);
  });
}
