import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { encode } from './encode.ts';
import { decode } from './testing/decode.ts';
import { planOf } from './testing/fixtures.ts';
import {
  type FieldType,
  type Op,
  wireMagic,
  wireMaxBytes,
  wireMaxSlots,
  wireOps,
  wireVersion,
} from './wire.ts';

function encodeOps(...ops: Op[]): Uint8Array {
  return encode({ ops, slotCount: 6, warnings: [] });
}

function errorOf(run: () => unknown): TsrunError {
  try {
    run();
  } catch (error) {
    if (error instanceof TsrunError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('encode', () => {
  it('writes these bytes', () => {
    const bytes = encodeOps(
      { op: 'oomScoreAdj', origin: '', value: -2 },
      { op: 'clone', origin: '', flags: 0x20020000 },
      { op: 'hostname', origin: '/hostname', name: 'bär' },
      { op: 'user', origin: '', uid: 1, gid: 2, groups: [3, 0xfffffffe], umask: 0o22, noGroups: 0 },
      { op: 'exec', origin: '', args: ['sh', ''], env: [], preserveFds: 0 },
    );
    expect(Buffer.from(bytes).toString('hex')).to.equal(
      [
        // magic, version, bytes, operations, slots
        '5453524e 01000000 85000000 05000000 06000000',
        '0100 0000 04000000 feffffff',
        '0700 0000 08000000 0000022000000000',
        '1400 0000 09000000 04000000 62c3a472 00',
        '4400 0000 1c000000 01000000 02000000 02000000 03000000 feffffff 12000000 00000000',
        '6100 0000 18000000 02000000 02000000 7368 00 00000000 00 00000000 00000000',
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('is read back as it was, for every operation of the table', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomNumbers(seed);
      const ops = Object.entries(wireOps).map(([op, { fields }]) => ({
        op,
        origin: '/x',
        ...Object.fromEntries(
          Object.entries<FieldType>(fields).map(([name, type]) => [name, randomValue(type, random)]),
        ),
      })) as unknown as Op[];
      const bytes = encode({ ops, slotCount: seed, warnings: [] });
      const decoded = decode(bytes);
      expect(decoded).to.include({
        magic: wireMagic,
        version: wireVersion,
        bytes: bytes.length,
        slotCount: seed,
      });
      expect(decoded.ops.map((op) => ({ origin: '/x', ...op }))).to.deep.equal(ops);
    }
  });

  it('encodes what is compiled', () => {
    const plan = planOf();
    expect(decode(encode(plan)).ops.map(({ op }) => op)).to.deep.equal(plan.ops.map(({ op }) => op));
  });

  it('grows beyond its first buffer', () => {
    const args = Array.from({ length: 2000 }, (_, index) => `word ${'x'.repeat(100)} ${index}`);
    const [op] = decode(encodeOps({ op: 'exec', origin: '', args, env: [], preserveFds: 0 })).ops;
    expect(op?.['args']).to.deep.equal(args);
  });

  it('names the property whose value does not fit', () => {
    const user = {
      op: 'user',
      origin: '/process/user',
      uid: 0,
      gid: 0,
      groups: [],
      umask: 0,
      noGroups: 0,
    } as const;
    const limit = { op: 'rlimit', origin: '/process/rlimits/0', resource: 7, soft: 0, hard: 0 } as const;
    const cases: [Op, string][] = [
      [{ ...user, uid: 2 ** 32 }, 'uid 4294967296 is out of range (0 to 4294967295)'],
      [{ ...user, gid: -1 }, 'gid -1 is out of range'],
      [{ ...user, groups: [1, 1.5] }, 'groups 1.5 is not an integer'],
      [{ ...user, uid: Number.NaN }, 'uid NaN is not an integer'],
      [{ ...limit, hard: 2n ** 64n }, 'hard 18446744073709551616 is out of range'],
      [{ ...limit, soft: -1n }, 'soft -1 is out of range'],
      [
        { op: 'oomScoreAdj', origin: '/process/oomScoreAdj', value: 2 ** 31 },
        'value 2147483648 is out of range',
      ],
      [{ op: 'hostname', origin: '/hostname', name: 'a\0b' }, 'name "a\\u0000b" has a NUL character in it'],
      [
        { op: 'exec', origin: '/process/args', args: ['sh', '\0'], env: [], preserveFds: 0 },
        'args "\\u0000" has a NUL character in it',
      ],
    ];
    for (const [op, message] of cases) {
      const error = errorOf(() => encodeOps(op));
      expect(error.message).to.include(message);
      expect(error).to.include({ code: 'config', pointer: op.origin });
    }
  });

  it('blames itself for values that are none of the config', () => {
    expect(errorOf(() => encodeOps({ op: 'clone', origin: '', flags: -1 })).code).to.equal('internal');
    const wrongType = { op: 'hostname', origin: '', name: 7 } as unknown as Op;
    expect(errorOf(() => encodeOps(wrongType)).code).to.equal('internal');
    expect(errorOf(() => encode({ ops: [], slotCount: 5000, warnings: [] })).code).to.equal('internal');
  });

  it('says which value of which operation is wrong', () => {
    const node = { op: 'memoryPolicy', origin: '', mode: 0, nodes: 'x' } as unknown as Op;
    expect(errorOf(() => encodeOps(node)).message).to.equal(
      'operation memoryPolicy: nodes is not a list of bytes',
    );
    const exec = { op: 'exec', origin: '', args: 'sh', env: [], preserveFds: 0 } as unknown as Op;
    expect(errorOf(() => encodeOps(exec)).message).to.equal('operation exec: args is not a list');
    const words = { op: 'exec', origin: '', args: [7], env: [], preserveFds: 0 } as unknown as Op;
    expect(errorOf(() => encodeOps(words)).message).to.equal('operation exec: args is not a string');
    const user = { op: 'user', origin: '/u', uid: 0, gid: 0, groups: 1, umask: 0, noGroups: 0 };
    expect(errorOf(() => encodeOps(user as unknown as Op)).message).to.equal('groups is not a list');
    const half = { op: 'oomScoreAdj', origin: '/o', value: 0.5 } as const;
    expect(errorOf(() => encodeOps(half)).message).to.equal('value 0.5 is not an integer');
    const word = { op: 'oomScoreAdj', origin: '/o', value: '1' } as unknown as Op;
    expect(errorOf(() => encodeOps(word)).message).to.equal('value 1 is not an integer');
    const unknown = { op: 'dance', origin: '' } as unknown as Op;
    expect(errorOf(() => encodeOps(unknown))).to.include({
      code: 'internal',
      message: 'unknown operation dance',
    });
  });

  it('takes as many slots and bytes as the init does', () => {
    expect(decode(encode({ ops: [], slotCount: wireMaxSlots, warnings: [] })).slotCount).to.equal(
      wireMaxSlots,
    );
    expect(errorOf(() => encode({ ops: [], slotCount: wireMaxSlots + 1, warnings: [] })).message).to.equal(
      'the plan has too many slots',
    );
    // Header, header of the operation, length and NUL.
    const path = 'x'.repeat(wireMaxBytes - 20 - 8 - 4 - 1);
    expect(encodeOps({ op: 'maskPath', origin: '', path })).to.have.length(wireMaxBytes);
    expect(errorOf(() => encodeOps({ op: 'maskPath', origin: '', path: `${path}x` })).message).to.equal(
      `the container's plan is larger than ${wireMaxBytes} bytes`,
    );
  });

  it('takes the largest integers exactly', () => {
    const [op] = decode(
      encodeOps({ op: 'rlimit', origin: '', resource: 7, soft: 18446744073709551614n, hard: 2n ** 64n - 1n }),
    ).ops;
    expect(op).to.include({ soft: 18446744073709551614n, hard: 18446744073709551615n });
  });

  it('refuses a plan the init would not take', () => {
    const path = 'x'.repeat(wireMaxBytes);
    expect(errorOf(() => encodeOps({ op: 'maskPath', origin: '', path })).message).to.include('larger than');
  });
});

/** Numbers in [0, 1), the same for the same seed (a linear congruential generator). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomValue(type: FieldType, random: () => number): unknown {
  const size = Math.floor(random() * 5);
  switch (type) {
    case 'u32':
      return Math.floor(random() * 2 ** 32);
    case 'i32':
      return Math.floor(random() * 2 ** 32) - 2 ** 31;
    case 'u64':
      return BigInt(Math.floor(random() * 2 ** 32)) * 2n ** 32n + BigInt(Math.floor(random() * 2 ** 32));
    case 'i64':
      return BigInt(Math.floor(random() * 2 ** 32)) - 2n ** 31n;
    case 'str':
      return randomText(random);
    case 'bytes':
      return Uint8Array.from({ length: size }, () => random() * 256);
    case 'strs':
      return Array.from({ length: size }, () => randomText(random));
    case 'u32s':
      return Array.from({ length: size }, () => Math.floor(random() * 2 ** 32));
  }
}

function randomText(random: () => number): string {
  const alphabet = ['a', '/', '=', 'é', '漢', '😀', '\n', '"'];
  return Array.from({ length: random() * 20 }, () => alphabet[Math.floor(random() * alphabet.length)]).join(
    '',
  );
}
