import { expect } from 'chai';
import { parseTap } from './tap.ts';

describe('parseTap', () => {
  it('reads assertions and the plan after them', () => {
    expect(parseTap('TAP version 13\nok 1 - one\nnot ok 2 - two\nok 3 # SKIP three\n1..3\n')).to.deep.equal({
      assertions: [
        { ok: true, skipped: false, description: 'one' },
        { ok: false, skipped: false, description: 'two' },
        { ok: true, skipped: true, description: '# SKIP three' },
      ],
      planned: 3,
      errors: [],
    });
  });

  it('adds the plans of streams that follow each other', () => {
    expect(parseTap('TAP version 13\nok 1 - a\n1..1\nTAP version 13\n1..0\n').planned).to.equal(1);
  });

  it('has no plan when the stream breaks off', () => {
    expect(parseTap('TAP version 13\nok 1 - a\n')).not.to.have.property('planned');
  });

  it('gives an error to the assertion above it, the words of the runtime first', () => {
    const text =
      'not ok 1 - a\n  ---\n  {"error": "exit status 1", "stderr": "no such container\\n"}\n  ...\n1..1\n';
    expect(parseTap(text).assertions).to.deep.equal([
      { ok: false, skipped: false, description: 'a', error: 'no such container\n' },
    ]);
  });

  it('keeps an error that belongs to no assertion', () => {
    expect(parseTap('TAP version 13\n  ---\n  {\n    "error": "in order"\n  }\n  ...\n1..0\n')).to.deep.equal(
      {
        assertions: [],
        planned: 0,
        errors: ['in order'],
      },
    );
  });

  it('does not take the output of a container, quoted in YAML, for the test’s own', () => {
    const text = 'ok 1 - a\n  ---\n  {"stdout": "ok 1\\nnot ok 2\\n1..2"}\n  ...\n1..1\n';
    expect(parseTap(text)).to.deep.equal({
      assertions: [{ ok: true, skipped: false, description: 'a' }],
      planned: 1,
      errors: [],
    });
  });

  it('takes no assertion out of a YAML block that is not JSON', () => {
    expect(parseTap('ok 1 - a\n  ---\nnot ok 2\n  ...\n1..1\n').assertions).to.have.length(1);
  });
});
