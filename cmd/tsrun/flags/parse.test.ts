import { expect } from 'chai';
import type { Flags } from '../command.ts';
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

  it('takes a dash alone for an argument', () => {
    expect(parse(['-', '--tty', '-'])).to.deep.include({ args: ['-', '-'], rest: 3 });
    expect(parse(['-', '--tty'], true)).to.deep.include({ args: [], rest: 0 });
    expect(parse([''])).to.deep.include({ args: [''], rest: 1 });
    expect(parse(['--bundle', '-']).flags.bundle).to.equal('-');
  });

  it('leaves alone what follows a double dash or the first argument, when told to stop there', () => {
    expect(parse(['-t', '--', '--detach'], true)).to.deep.include({ args: [], rest: 2 });
    expect(parse(['-t', '--', '--detach', '--'], false)).to.deep.include({
      args: ['--detach', '--'],
      rest: 4,
    });
    expect(parse(['-t', '--bundle', 'x', 'y'], true)).to.deep.include({ args: [], rest: 3 });
  });

  it('keeps everything behind the first equals sign, also nothing', () => {
    expect(parse(['--bundle=a=b']).flags.bundle).to.equal('a=b');
    expect(parse(['--bundle=']).flags.bundle).to.equal('');
    expect(parse(['--bundle=', 'x'])).to.deep.include({ args: ['x'] });
    expect(parse(['--bundle', '']).flags.bundle).to.equal('');
  });

  it('lets the last of several values count', () => {
    expect(parse(['--bundle', 'a', '--bundle', 'b']).flags.bundle).to.equal('b');
    expect(parse(['--detach', '--detach=0']).flags.detach).to.equal(false);
    expect(parse(['--detach=false', '--detach=1']).flags.detach).to.equal(true);
    expect(parse(['--preserve-fds', '-3']).flags['preserve-fds']).to.equal(-3);
    expect(parse(['--preserve-fds', '9007199254740991']).flags['preserve-fds']).to.equal(9007199254740991);
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

  it('knows no flag but those of the table after joined letters', () => {
    expect(Object.keys(parse(['-td']).flags)).to.deep.equal(Object.keys(flags));
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
    [['--detach=maybe'], /^tsrun test: --detach is true or false, not "maybe"$/],
    [['--detach='], /^tsrun test: --detach is true or false, not ""$/],
    [['--env'], /^tsrun test: --env needs a value \(VALUE\)$/],
    [['--preserve-fds', '1x'], /^tsrun test: --preserve-fds is a whole number, not "1x"$/],
    [['--preserve-fds', 'x1'], /whole number/],
    [['--preserve-fds', '1.0'], /whole number/],
    [['--preserve-fds', ''], /whole number/],
    [['--preserve-fds', '9007199254740992'], /whole number/],
    // Not all letters are flags without a value.
    [['-tz'], /^tsrun test: unknown flag -tz$/],
    [['-tb', 'x'], /^tsrun test: unknown flag -tb$/],
    [['--td'], /^tsrun test: unknown flag --td$/],
    [['--b', 'x'], /^tsrun test: unknown flag --b$/],
    [['-td=1'], /^tsrun test: unknown flag -td$/],
    [['---tty'], /^tsrun test: unknown flag ---tty$/],
    [['--__proto__'], /unknown flag --__proto__/],
    [['--toString'], /unknown flag --toString/],
  ];
  for (const [argv, message] of errors) {
    it(`refuses ${argv.join(' ')}`, () => {
      expect(() => parse(argv))
        .to.throw(message)
        .with.property('code', 'usage');
    });
  }

  it('says which flag was meant', () => {
    expect(() => parse(['--bundel', 'x']))
      .to.throw()
      .with.property('hint', 'did you mean --bundle?');
    expect(() => parse(['--nothing-like-it']))
      .to.throw()
      .with.property('hint', undefined);
  });

  it('says where a global flag goes', () => {
    for (const [argument, hint] of [
      ['--root=/r', '--root goes before the command: tsrun --root DIR test …'],
      ['-log-format', '--log-format goes before the command: tsrun --log-format FORMAT test …'],
      ['--debug', '--debug goes before the command: tsrun --debug test …'],
    ] as const) {
      expect(() => parse([argument, 'c1']))
        .to.throw(/unknown flag/)
        .with.property('hint', hint);
    }
  });
});
