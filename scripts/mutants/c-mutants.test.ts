import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutantsOf } from './c-mutants.mjs';

const shim = join(import.meta.dirname, '../../native-shim');

describe('mutants of C', () => {
  const changes = (source: string): string[] => mutantsOf(source).map(({ what }) => what);

  it('mutants of C turn conditions, one operator at a time where there are several', () => {
    expect(changes('    if (a == 0 && f("(") < n)\n        x();\n')).to.deep.equal([
      '(a == 0 && f("(") < n) → (!(a == 0 && f("(") < n))',
      '== → !=',
      '&& → ||',
      '< → <=',
      'x() → ',
    ]);
    expect(changes('    if (a == 0)\n        return 1;\n')).to.deep.equal(['(a == 0) → (!(a == 0))']);
  });

  it('mutants of C drop flags, calls and errors', () => {
    expect(
      changes('{\n    error = f(A_FLAG | B_FLAG);\n    (void)g(1, h());\n    return -EINVAL;\n}'),
    ).to.deep.equal([
      'error = f(A_FLAG | B_FLAG) → error = 0',
      'A_FLAG | → ',
      '| B_FLAG → ',
      '(void)g(1, h()) → ',
      '-EINVAL → 0',
    ]);
  });

  it('mutants of C swap neighbours of tables and of switches', () => {
    expect(changes('static const char *const t[] = {\n    "a",\n    "b",\n};\n')).to.deep.equal([
      '"a", "b" → "b", "a"',
    ]);
    expect(changes('    case ONE:\n        return 1;\n    case TWO:\n')).to.deep.equal([
      'ONE: return 1; case TWO → TWO: return 1; case ONE',
    ]);
  });

  it('mutants of C leave out comments, strings and directives', () => {
    expect(changes('#include <a.h>\n/* if (a == b) */\nchar *s = "if (a | B)";\n')).to.deep.equal([]);
  });

  it('mutants of C are found in every source, with the rest as it was', () => {
    for (const room of ['init', 'lib', 'launcher']) {
      for (const name of readdirSync(join(shim, room)).filter((file) => file.endsWith('.c'))) {
        const source = readFileSync(join(shim, room, name), 'utf8');
        for (const { line, text } of mutantsOf(source)) {
          expect(text, `${name}:${String(line)}`).to.not.equal(source);
          const before = source.split('\n').slice(0, line - 1);
          expect(text.split('\n').slice(0, line - 1), `${name}:${String(line)}`).to.deep.equal(before);
        }
      }
    }
  });
});
