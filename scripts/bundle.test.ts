import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { build, type Plugin } from 'esbuild';
import { bundleOptions } from './build/bundle.mjs';

/** Makes every module of a dependency say its name when it is evaluated. */
const announce: Plugin = {
  name: 'announce',
  setup(setup) {
    setup.onLoad({ filter: /\/node_modules\/.*\.[cm]?js$|\/build\/validators/ }, ({ path }) => ({
      contents: `(globalThis.evaluated ??= []).push(${JSON.stringify(path)});\n${readFileSync(path, 'utf8')}`,
      loader: 'js',
    }));
  },
};

const options = bundleOptions();

describe('the bundle', function () {
  this.timeout(60_000);
  let folder = '';
  let file = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-bundle-'));
    file = join(folder, 'tsrun.cjs');
    const footer = {
      js: "process.on('exit', () => console.log('EVALUATED' + JSON.stringify(globalThis.evaluated ?? [])));",
    };
    await build({ ...options, outfile: file, plugins: [announce], banner: footer });
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** The modules of dependencies that a command line evaluates. */
  function evaluated(...args: string[]): string[] {
    const script = `"$0" "$@" 2>/dev/null || true`;
    const output = execFileSync('sh', ['-c', script, process.execPath, file, '--root', folder, ...args], {
      encoding: 'utf8',
    });
    return JSON.parse(/EVALUATED(.*)/.exec(output)?.[1] ?? 'null') as string[];
  }

  for (const args of [
    ['state', 'nobody'],
    ['list'],
    ['start', 'nobody'],
    ['delete', 'nobody'],
    ['kill', 'nobody'],
  ]) {
    it(`${args.join(' ')} evaluates no dependency`, () => {
      expect(evaluated(...args)).to.deep.equal([]);
    });
  }

  it('create evaluates neither yargs, winston, jsonc-parser nor the ajv compiler', () => {
    const modules = evaluated('create', '--bundle', folder, 'c1');
    expect(
      modules.filter((name) => /yargs|winston|jsonc-parser|ajv\/dist\/(core|ajv|compile)/.test(name)),
    ).to.deep.equal([]);
  });

  it('help evaluates yargs', () => {
    expect(evaluated('--help').some((name) => name.includes('/yargs/'))).to.equal(true);
  });

  it('names no folder of the machine it was built on', async () => {
    const plain = join(folder, 'plain.cjs');
    await build({ ...options, outfile: plain });
    expect(readFileSync(plain, 'utf8')).not.to.contain(fileURLToPath(new URL('..', import.meta.url)));
  });
});
