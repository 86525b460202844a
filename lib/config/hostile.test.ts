import { expect } from 'chai';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { renderNotice } from '../../cmd/tsrun/render.ts';
import { readBundle } from './bundle.ts';
import { defaultConfig } from './defaults.ts';
import { engineConfig, findingsOf, goodConfig, makeBundle } from './testing/fixtures.ts';
import { pointerTo } from '../core/pointer.ts';
import { randomFrom } from './testing/random.ts';
import { validateConfig } from './validate.ts';

type Random = (limit: number) => number;

const junk: readonly unknown[] = [
  null,
  true,
  '',
  '..',
  '\0',
  '/proc/self/fd/3',
  '\u001b]0;x\u0007\u202e',
  '\ud800',
  'x'.repeat(5000),
  0,
  -1,
  0.5,
  1e300,
  4294967295,
  4294967296,
  Number.MAX_SAFE_INTEGER,
  [],
  [[]],
  [null],
  {},
  { '': '' },
  { constructor: 1, hasOwnProperty: 2 },
  ['ro', 'rw', 'bind', 'idmap', 'remount', '\0'],
];

/** Every object and array of a value, with its pointer. */
function containers(value: unknown, pointer = ''): { container: object; pointer: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return [
    { container: value, pointer },
    ...Object.entries(value).flatMap(([name, child]) => containers(child, pointerTo(pointer, name))),
  ];
}

/** Replaces, removes, renames or adds a value somewhere. */
function mutate(config: object, random: Random): void {
  const all = containers(config);
  const { container } = all[random(all.length)] ?? { container: config };
  const object = container as Record<string, unknown>;
  const names = Object.keys(object);
  const name = names[random(names.length || 1)] ?? 'x';
  const value = structuredClone(junk[random(junk.length)]);
  switch (random(5)) {
    case 0:
      Reflect.deleteProperty(object, name);
      return;
    case 1:
      object[`${name.slice(0, -1)}x`] = object[name];
      return;
    case 2: {
      const other = all[random(all.length)]?.container;
      object[name] = structuredClone(other);
      return;
    }
    default:
      object[name] = value;
  }
}

/** Damages a text a little. */
function damage(text: string, random: Random): string {
  const at = random(text.length);
  const pieces = [
    '',
    '"',
    '{',
    ']',
    ',',
    '\\u0000',
    '\u0000',
    '9'.repeat(40),
    '1e19',
    '"__proto__":',
    '\u009b',
    '//',
  ];
  return text.slice(0, at) + (pieces[random(pieces.length)] ?? '') + text.slice(at + random(3));
}

describe('hostile configs', () => {
  const folder = makeBundle('');
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function check(text: string): 'unreadable' | 'invalid' | 'valid' {
    writeFileSync(join(folder, 'config.json'), text);
    let bundle;
    try {
      bundle = readBundle(folder);
    } catch (error) {
      expectExplained(error, text, 'bundle');
      return 'unreadable';
    }
    const found = findingsOf(bundle);
    for (const { pointer, reason } of found) {
      expect(renderNotice({ pointer, reason, source: bundle }), text).to.match(
        /^config\.json:\d+:\d+: [^\p{Cc}\p{Cf}]+$/u,
      );
    }
    const valid = found.every(({ severity }) => severity === 'warning');
    try {
      validateConfig(bundle);
      expect(valid, text).to.equal(true);
      return 'valid';
    } catch (error) {
      expectExplained(error, text, 'config');
      expect(valid, text).to.equal(false);
      return 'invalid';
    }
  }

  function expectExplained(error: unknown, text: string, code: string): void {
    if (!(error instanceof TsrunError)) throw error;
    expect(error.code, text).to.equal(code);
    expect(renderNotice(error), text).to.match(/^config\.json:\d+:\d+: [^\p{Cc}\p{Cf}]{1,700}$/u);
    if (code === 'config') expect(error.pointer, text).to.be.a('string');
  }

  const bases = [goodConfig(), defaultConfig({ rootless: true, uid: 1, gid: 1 }), engineConfig()];

  it('are explained or valid, whatever their values', function () {
    this.timeout(60_000);
    const random = randomFrom(20_261_121);
    const seen = new Set<string>();
    for (let round = 0; round < 1500; round++) {
      const config = structuredClone(bases[random(bases.length)] ?? goodConfig());
      for (let edits = 1 + random(4); edits > 0; edits--) mutate(config, random);
      seen.add(check(JSON.stringify(config)));
    }
    expect([...seen]).to.have.members(['invalid', 'valid']);
  });

  it('are explained or valid, whatever their text', function () {
    this.timeout(60_000);
    const random = randomFrom(7);
    const seen = new Set<string>();
    for (let round = 0; round < 1500; round++) {
      let text = JSON.stringify(bases[random(bases.length)], null, random(3));
      for (let edits = 1 + random(3); edits > 0; edits--) text = damage(text, random);
      seen.add(check(text));
    }
    expect([...seen]).to.have.members(['invalid', 'valid', 'unreadable']);
  });
});
