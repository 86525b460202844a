import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The Go module with the validation tests, at commit 5e63903 (runtime-spec 1.3.0). */
const modulePath = 'github.com/opencontainers/runtime-tools';
export const version = 'v0.9.1-0.20251205004911-5e639034dcdc';

/** The module uses the package `slices` of Go's standard library. */
const oldestGo = [1, 21] as const;

/** Programs of the module that are no tests. */
const inContainer = 'runtimetest';
const tool = 'oci-runtime-tool';

export interface Suite {
  /** Names of the tests, each a program in `folder`. */
  tests: string[];
  folder: string;
  /** The program the tests run inside their containers. */
  runtimetest: string;
  ociRuntimeTool: string;
}

/** The suite cannot be had on this machine: there is no Go that could build it. */
export class NoGo extends Error {}

/** Somebody asked for a test that is not in the suite. */
export class UnknownTest extends Error {}

/** Where the built suite is kept between runs. */
export function cacheFolder(): string {
  const given = process.env['XDG_CACHE_HOME'];
  const cache = given === undefined || given === '' ? join(homedir(), '.cache') : given;
  return join(cache, 'tsrun-conformance');
}

/**
 * The suite, built when the cache has it not: then it needs Go and its module proxy, which checks the module
 * against the public checksum database. Throws NoGo, or an error with what `go install` said.
 */
export function installSuite(): Suite {
  const folder = join(cacheFolder(), `${version}-${process.arch}`);
  if (!existsSync(folder)) build(folder);
  const programs = readdirSync(folder).sort();
  return {
    tests: programs.filter((name) => name !== inContainer && name !== tool),
    folder,
    runtimetest: join(folder, inContainer),
    ociRuntimeTool: join(folder, tool),
  };
}

/** Builds next to the target and renames, so that an interrupted build is never taken for the suite. */
function build(folder: string): void {
  requireGo();
  mkdirSync(cacheFolder(), { recursive: true });
  const bin = mkdtempSync(join(cacheFolder(), 'building-'));
  console.log(`building ${modulePath}@${version} (once)`);
  // CGO_ENABLED=0: runtimetest must be static to run in any rootfs.
  const { status, error } = spawnSync(
    'go',
    ['install', '-trimpath', '-ldflags=-s -w', `${modulePath}/...@${version}`],
    { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, CGO_ENABLED: '0', GOBIN: bin } },
  );
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`go install ${modulePath}/...@${version} failed`);
  renameSync(bin, folder);
}

function requireGo(): void {
  const wanted = `Go ${oldestGo.join('.')} or later, which builds the conformance suite`;
  const { stdout, error } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  if (error !== undefined) throw new NoGo(`this machine has no ${wanted}`);
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
  // A development version of Go has no number, and is newer than any.
  if (major === undefined || minor === undefined) return;
  if (Number(major) === oldestGo[0] && Number(minor) < oldestGo[1])
    throw new NoGo(`this machine has no ${wanted}, only ${stdout.trim()}`);
}
