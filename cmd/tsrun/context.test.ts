import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { globalFlags, type GlobalValues } from './command.ts';
import { logOf, previewRootOf, rootOf } from './context.ts';
import { formatFlag } from './flags/flags.ts';
import { command as completion } from './commands/completion.ts';
import { parseFlags } from './flags/parse.ts';

const globals = (...argv: string[]): GlobalValues =>
  parseFlags(argv, globalFlags, { program: 'tsrun', stopAtPositional: false }).flags;

describe('what the global flags say', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsrun-context-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('--root holds for commands that only look, too', () => {
    const chosen = { path: '/some/root', inRuntimeDir: false };
    expect(rootOf(globals('--root', '/some/root'))).to.deep.equal(chosen);
    expect(previewRootOf(globals('--root', '/some/root'))).to.deep.equal(chosen);
    expect(() => previewRootOf(globals('--root', '/'))).to.throw('must not be /');
  });

  it('commands that only look do without a default state root', () => {
    const before = process.env['XDG_RUNTIME_DIR'];
    const geteuid = process.geteuid;
    process.geteuid = () => 1000;
    delete process.env['XDG_RUNTIME_DIR'];
    try {
      expect(() => rootOf(globals())).to.throw('no folder to keep containers in');
      expect(previewRootOf(globals())).to.deep.equal({ path: '/run/tsrun', inRuntimeDir: false });
    } finally {
      if (geteuid !== undefined) process.geteuid = geteuid;
      if (before !== undefined) process.env['XDG_RUNTIME_DIR'] = before;
    }
  });

  it('the flags of the log decide what is written, where and how', () => {
    const written = (...argv: string[]): string => {
      const file = join(folder, `log-${argv.join('')}`);
      const log = logOf(globals('--log', file, ...argv));
      log.debug({ reason: 'a detail' });
      log.warn({ reason: 'a warning' });
      return readFileSync(file, 'utf8');
    };
    expect(written()).to.contain('a warning').and.not.contain('a detail');
    expect(written('--debug')).to.contain('a warning').and.contain('a detail');
    expect(written('--log-level', 'debug')).to.contain('a detail');
    expect(written('--log-level', 'info')).not.to.contain('a detail');
    const [line = ''] = written('--log-format', 'json').split('\n');
    expect(JSON.parse(line)).to.include({ msg: 'a warning', level: 'warning' });
    expect(written('--log-format', 'text')).not.to.match(/^\{/);
  });
});

describe('the flag for a format', () => {
  it('formatFlag names the usual format first, and says what JSON holds', () => {
    const flag = { kind: 'string', short: 'f', value: 'FORMAT' };
    expect(formatFlag('table')).to.deep.equal({
      ...flag,
      choices: ['table', 'json'],
      help: 'table (default) or json',
    });
    expect(formatFlag('text', 'which has all of it')).to.deep.equal({
      ...flag,
      choices: ['text', 'json'],
      help: 'text (default), or json, which has all of it',
    });
  });
});

describe('completion', () => {
  it('a completion script exists for some shells only', () => {
    expect(() => completion.run({ flags: {}, args: ['csh'], globals: globals() }))
      .to.throw('tsrun completion: no completion for "csh"')
      .that.includes({ code: 'usage', hint: 'there is one for bash, zsh, fish' });
    expect(completion.positionals[0]?.help).to.equal('bash, zsh, fish (default: bash)');
  });
});
