import { expect } from 'chai';
import type { Flags } from './command.ts';
import { parseFlags } from './parse.ts';

const flags = {
  bundle: { kind: 'string', short: 'b', value: 'DIR', help: '' },
  detach: { kind: 'boolean', short: 'd', help: '' },
  tty: { kind: 'boolean', short: 't', help: '' },
  'memory-swap': { kind: 'string', help: '' },
  env: { kind: 'strings', short: 'e', help: '' },
  'preserve-fds': { kind: 'integer', help: '' },
  format: { kind: 'string', choices: ['table', 'json'], help: '' },
} as const satisfies Flags;

const parse = (argv: string[], stopAtPositional = false) =>
  parseFlags(argv, flags, { program: 'tsrun test', stopAtPositional });

describe('parseFlags', () => {
  it('takes values behind a space or an equals sign, by long or short name', () => {
    for (const argv of [['--bundle', '/b'], ['--bundle=/b'], ['-b', '/b'], ['-bundle', '/b'], ['-b=/b']]) {
      expect(parse(argv).flags.bundle, argv.join(' ')).to.equal('/b');
    }
  });

  it('gives every flag of the table its empty value', () => {
    expect(parse([]).flags).to.deep.equal({
      bundle: undefined,
      detach: false,
      tty: false,
      'memory-swap': undefined,
      env: [],
      'preserve-fds': undefined,
      format: undefined,
    });
  });

  it('takes a value that begins with a dash', () => {
    expect(parse(['--memory-swap', '-1', 'c1'])).to.deep.include({ args: ['c1'] });
    expect(parse(['--memory-swap', '-1']).flags['memory-swap']).to.equal('-1');
  });

  it('takes flags behind positionals unless told to stop there', () => {
    expect(parse(['c1', '--detach'])).to.deep.include({ args: ['c1'], rest: 2 });
    expect(parse(['c1', '--detach']).flags.detach).to.equal(true);
    const stopped = parse(['-t', 'c1', 'sh', '--detach'], true);
    expect(stopped.flags.detach).to.equal(false);
    expect(stopped.rest).to.equal(1);
  });

  it('ends flags at a double dash', () => {
    expect(parse(['--detach', '--', '--tty']).args).to.deep.equal(['--tty']);
  });

  it('collects what may be repeated and joins boolean letters', () => {
    expect(parse(['-e', 'A=1', '--env=B=2', '-td']).flags).to.deep.include({
      env: ['A=1', 'B=2'],
      tty: true,
      detach: true,
    });
  });

  it('reads booleans with a value', () => {
    expect(parse(['--detach=true']).flags.detach).to.equal(true);
    expect(parse(['--detach=false']).flags.detach).to.equal(false);
  });

  const errors: [string[], RegExp][] = [
    [['--bundel', 'x'], /unknown flag --bundel/],
    [['-z'], /unknown flag -z/],
    [['--bundle'], /--bundle needs a value \(DIR\)/],
    [['--preserve-fds', 'two'], /--preserve-fds is a whole number, not "two"/],
    [['--preserve-fds', '99999999999999999999'], /whole number/],
    [['--format', 'xml'], /--format is one of table, json, not "xml"/],
    [['--detach=maybe'], /--detach is true or false/],
    [['--__proto__'], /unknown flag --__proto__/],
    [['--toString'], /unknown flag --toString/],
  ];
  for (const [argv, message] of errors) {
    it(`refuses ${argv.join(' ')}`, () => {
      expect(() => parse(argv)).to.throw(message);
    });
  }

  it('says which flag was meant', () => {
    expect(() => parse(['--bundel', 'x']))
      .to.throw()
      .with.property('hint', 'did you mean --bundle?');
  });
});
