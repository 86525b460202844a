import { expect } from 'chai';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileBundle } from '../container/prepare-container.ts';
import { stateRoot } from '../state/state-root.ts';
import { TsrunError } from '../core/error.ts';
import { readBundle } from '../config/bundle.ts';
import { noticePosition, renderNotice } from '../../cmd/tsrun/render.ts';
import { engineConfig, goodConfig, makeBundle } from '../config/testing/fixtures.ts';
import { allProperties, isUnused, place, type Property, type Schema } from '../config/testing/properties.ts';
import { randomFrom } from '../config/testing/random.ts';
import { validateConfig } from '../config/validate.ts';
import { validateBundle } from './validate-bundle.ts';

type Random = (limit: number) => number;

/** Texts that mean something somewhere, or nothing anywhere. */
const texts = [
  ...[
    '',
    '.',
    '..',
    '/',
    '/proc',
    '/dev/null',
    '/nowhere/x',
    'a/../b',
    '/a\0b',
    '\u001b[31m\u202e',
    '\ud800',
  ],
  ...['0', '0-3,7', '3-1', '1024', '-1', '99999999999999999999', 'all', '2MB', 'net.ipv4.ip_forward', 'lo'],
  ...[
    'bind',
    'rbind',
    'ro',
    'idmap',
    'remount',
    'rshared',
    'tmpcopyup',
    'size=1%',
    'mode=9',
    'tmpfs',
    'proc',
  ],
  ...[
    'cgroup',
    'overlay',
    'sysfs',
    'CAP_KILL',
    'RLIMIT_NOFILE',
    'getpid',
    'L3:0=f',
    'MB:0=10',
    '1.3.0',
    'rwm',
  ],
  'x'.repeat(5000),
  'y '.repeat(2500),
  `/${'d/'.repeat(2500)}`,
];

function anyOf<T>(values: readonly T[], random: Random): T | undefined {
  return values[random(values.length)];
}

/** A value that agrees with the schema, more or less, and is odd more often than not. */
function valueOf(schema: Schema, random: Random): unknown {
  if (random(25) === 0) return anyOf<unknown>([null, [], {}, -1, 0.5, true, 'x', 1e300, [[]]], random);
  if (schema.enum !== undefined) return anyOf(schema.enum, random);
  const { properties = {}, additionalProperties, required = [], minimum = 0, maximum = 9, items } = schema;
  switch (schema.type) {
    case 'boolean':
      return random(2) === 0;
    case 'integer':
      return anyOf([minimum, maximum, 0, 1, -1, 7, 1000, 4096, 2 ** 31, maximum - 1], random);
    case 'string':
      return anyOf(texts, random);
    case 'array':
      return Array.from({ length: random(4) }, () => valueOf(items ?? {}, random));
    default: {
      const names = Object.keys(properties).filter((name) => required.includes(name) || random(2) === 0);
      const entries = names.map((name): [string, unknown] => [name, valueOf(properties[name] ?? {}, random)]);
      if (additionalProperties !== undefined) {
        entries.push([anyOf(texts, random) ?? '', valueOf(additionalProperties, random)]);
      }
      return Object.fromEntries(entries);
    }
  }
}

describe('hostile configs, from the file to the plan', () => {
  const request = { id: 'hostile', root: stateRoot({ root: '/nowhere', uid: 0, env: {} }) };
  const properties = allProperties.filter((property) => !isUnused(property));
  // A large profile takes its time: seldom.
  const bases = [...Array.from({ length: 7 }, goodConfig), engineConfig()];
  const folder = makeBundle('');
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function write(text: string): void {
    writeFileSync(join(folder, 'config.json'), text);
  }

  /** What comes of the bundle: a plan, or an error that a user can act on. */
  function compiled(text: string): 'plan' | 'error' {
    try {
      const bundle = readBundle(folder);
      validateConfig(bundle);
      const { code, plan } = compileBundle(bundle, request, 'start');
      expect(code.length).to.be.greaterThan(plan.ops.length);
      return 'plan';
    } catch (error) {
      if (!(error instanceof TsrunError)) throw new Error(text, { cause: error });
      expect(error.code, text).to.be.oneOf(['config', 'unsupported', 'bundle', 'system']);
      expect(error.message, text).to.match(/^[^\p{Cc}\p{Cf}]{1,700}$/u);
      if (error.source === undefined) expect(error.pointer, `${error.message}\n${text}`).to.be.a('string');
      return 'error';
    }
  }

  function examined(text: string): boolean {
    try {
      const found = validateBundle(folder, request);
      for (const finding of found) {
        const line = renderNotice(finding);
        expect(noticePosition(finding).column, text).to.be.greaterThan(0);
        expect(line, text).to.match(/^config\.json:\d+(?::\d+)?: [^\p{Cc}\p{Cf}]{1,700}$/u);
      }
      return found.every(({ severity }) => severity === 'warning');
    } catch (error) {
      throw new Error(text, { cause: error });
    }
  }

  function mutated(random: Random, property: Property, extra: number): object {
    const config = structuredClone(anyOf(bases, random) ?? goodConfig());
    set(config, property, random);
    for (let left = extra; left > 0; left--) set(config, anyOf(properties, random) ?? property, random);
    return config;
  }

  function set(config: object, { path, schema }: Property, random: Random): void {
    try {
      place(config, path, random(12) === 0 ? undefined : valueOf(schema, random));
    } catch (error) {
      // What should hold it has become something else.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  it('become a plan or an error with a pointer, whatever is in them', function () {
    this.timeout(180_000);
    const random = randomFrom(20_261_123);
    const seen = { plan: 0, error: 0 };
    let agreed = 0;
    for (let round = 0; round < 8; round++) {
      for (const property of properties) {
        const text = JSON.stringify(mutated(random, property, random(3)));
        write(text);
        const outcome = compiled(text);
        seen[outcome]++;
        if (round > 0) continue;
        // `validate` sees at least what `create` would stop at.
        const isValid = examined(text);
        if (outcome === 'error') expect(isValid, text).to.equal(false);
        agreed++;
      }
    }
    expect(agreed).to.equal(properties.length);
    expect(seen.plan).to.be.greaterThan(200);
    expect(seen.error).to.be.greaterThan(200);
  });
});
