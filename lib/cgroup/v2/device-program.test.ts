import { expect } from 'chai';
import { TsrunError } from '../../core/error.ts';
import { randomFrom } from '../../config/testing/random.ts';
import type { DeviceRule } from '../../config/types.ts';
import { defaultDevices } from '../device-rules.ts';
import { deviceProgram } from './device-program.ts';
import { askProgram, type DeviceRequest, unreachable } from './testing/ask-device-program.ts';

const denyAll: DeviceRule = { allow: false, access: 'rwm' };
const allowAll: DeviceRule = { allow: true, access: 'rwm' };
const rule = (allow: boolean, text: string): DeviceRule => {
  const [type = '', numbers = '', access = ''] = text.split(' ');
  const [major, minor] = numbers.split(':').map((number) => (number === '*' ? -1 : Number(number)));
  return {
    allow,
    type,
    access,
    ...(major === undefined ? {} : { major }),
    ...(minor === undefined ? {} : { minor }),
  };
};
const allow = (text: string): DeviceRule => rule(true, text);
const deny = (text: string): DeviceRule => rule(false, text);
const request = (text: string): DeviceRequest => {
  const [type = '', numbers = '', access = ''] = text.split(' ');
  const [major = 0, minor = 0] = numbers.split(':').map(Number);
  return { type: type === 'b' ? 'b' : 'c', major, minor, access };
};

/** Rules, and accesses they allow (`+`) or deny (`-`). */
const table: readonly [string, readonly DeviceRule[], readonly string[]][] = [
  [
    'only the defaults without rules, and making any node',
    [],
    [
      '+c 1:3 rw',
      '+c 1:3 rwm',
      '+c 5:0 rw',
      '+c 5:2 rw',
      '+c 136:7 rw',
      '+c 10:200 rw',
      '+b 8:0 m',
      '+c 1:1 m',
      '-b 8:0 r',
      '-b 8:0 rm',
      '-c 1:1 r',
      '-c 5:1 rw',
      '-b 1:3 r',
    ],
  ],
  [
    'the defaults after a rule that denies all',
    [denyAll],
    ['+c 1:9 r', '+c 136:0 rw', '-b 8:0 w', '+b 8:0 m'],
  ],
  ['the defaults whatever a rule says of them', [allowAll, deny('c 1:3 rwm')], ['+c 1:3 rwm', '+b 8:0 rwm']],
  ['everything', [denyAll, allowAll], ['+b 8:0 rwm', '+c 1:1 rw', '+c 4095:1048575 rwm']],
  ['nothing that a later rule for all denies', [allow('b 8:0 rwm'), denyAll], ['-b 8:0 r']],
  ['a single device', [denyAll, allow('b 8:0 rw')], ['+b 8:0 rw', '-b 8:1 r', '-c 8:0 r']],
  [
    'a group of devices',
    [denyAll, allow('c 10:* rw')],
    ['+c 10:0 rw', '+c 10:255 r', '-c 11:0 r', '-b 10:0 r'],
  ],
  [
    'one minor of every major',
    [denyAll, allow('b *:5 r')],
    ['+b 0:5 r', '+b 9:5 r', '-b 9:5 w', '-b 9:6 r', '-c 9:5 r'],
  ],
  ['both types', [denyAll, allow('a 7:1 rw')], ['+b 7:1 rw', '+c 7:1 rw', '-c 7:2 r']],
  [
    'the kinds of access a rule names',
    [denyAll, allow('b 8:0 r')],
    ['+b 8:0 r', '-b 8:0 w', '-b 8:0 rw', '+b 8:0 rm'],
  ],
  [
    'what several rules allow together',
    [denyAll, allow('c 10:1 r'), allow('c 10:* w')],
    ['+c 10:1 rw', '+c 10:1 rwm', '-c 10:2 rw', '+c 10:2 w'],
  ],
  [
    'less after a later rule',
    [denyAll, allow('b 8:* rw'), deny('b 8:1 w')],
    ['+b 8:0 rw', '+b 8:1 r', '-b 8:1 w', '-b 8:1 rw'],
  ],
  ['more after a later rule', [denyAll, deny('b 8:1 w'), allow('b 8:* rw')], ['+b 8:1 rw']],
  [
    'all but some',
    [allowAll, deny('b 8:* rwm')],
    ['-b 8:0 r', '-b 8:5 w', '+b 8:0 m', '+b 9:0 rwm', '+c 8:0 rw'],
  ],
  [
    'by the later of a rule for a major and one for a minor',
    [denyAll, allow('b 8:* rw'), deny('b *:1 w'), allow('b 9:* rw')],
    ['+b 8:1 r', '-b 8:1 w', '+b 8:0 rw', '+b 9:1 rw', '-b 10:1 w'],
  ],
  [
    'no device for numbers that none has',
    [denyAll, allow('b 8:4294967295 r'), allow('b 4294967304:0 r')],
    ['-b 8:0 r'],
  ],
  ['to be asked whether a device is there', [denyAll], ['+b 8:0 ', '+c 1:1 ']],
];

/** The same decision in the plainest words there are. */
function decides(rules: readonly DeviceRule[], { type, major, minor, access }: DeviceRequest): boolean {
  const defaults = defaultDevices.flatMap(({ types, ...pattern }) =>
    types.map((one) => ({ allow: true, type: one, ...pattern })),
  );
  const matches = (wanted: number | undefined, number: number): boolean =>
    wanted === undefined || wanted < 0 || wanted === number;
  return access
    .split('')
    .every(
      (letter) =>
        [...rules, ...defaults].findLast(
          (one) =>
            ['a', type].includes(one.type ?? 'a') &&
            matches(one.major, major) &&
            matches(one.minor, minor) &&
            one.access?.includes(letter),
        )?.allow === true,
    );
}

describe('device rules on cgroup v2', () => {
  for (const [title, rules, accesses] of table) {
    it(`allow ${title}`, () => {
      const { code } = deviceProgram(rules);
      for (const text of accesses) {
        expect(askProgram(code, request(text.slice(1))), text).to.equal(text.startsWith('+'));
        expect(decides(rules, request(text.slice(1))), `the model: ${text}`).to.equal(text.startsWith('+'));
      }
      expect(unreachable(code)).to.deep.equal([]);
    });
  }

  it('decide by the last rule, whatever the rules', () => {
    const random = randomFrom(20);
    const pick = <T>(items: readonly [T, ...T[]]): T => items[random(items.length)] ?? items[0];
    const accesses = ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'] as const;
    for (let round = 0; round < 200; round++) {
      const numbers = [0, 1, 3, 5, 10, 136] as const;
      const rules = Array.from({ length: random(12) }, () => ({
        allow: random(2) === 1,
        type: pick(['a', 'b', 'c']),
        major: pick([-1, ...numbers]),
        minor: pick([-1, ...numbers]),
        access: pick(accesses),
      }));
      const { code, denies } = deviceProgram(rules);
      expect(unreachable(code)).to.deep.equal([]);
      let denied = false;
      for (let asked = 0; asked < 200; asked++) {
        const one: DeviceRequest = {
          type: pick(['b', 'c']),
          major: pick([...numbers, 2, 4095]),
          minor: pick([...numbers, 2, 1048575]),
          access: pick(accesses),
        };
        const answer = decides(rules, one);
        denied ||= !answer;
        if (askProgram(code, one) === answer) continue;
        expect.fail(`${JSON.stringify(rules)}: ${JSON.stringify(one)} is ${String(!answer)}`);
      }
      if (denied) expect(denies).to.equal(true);
    }
  });

  it('are known to deny nothing, so that a kernel without them will do', () => {
    expect(deviceProgram([allowAll]).denies).to.equal(false);
    expect(deviceProgram([denyAll, allow('b *:* rw'), allow('c *:* rwm')]).denies).to.equal(false);
    expect(deviceProgram([allowAll, deny('c 1:3 rwm')]).denies).to.equal(false);
    expect(deviceProgram([]).denies).to.equal(true);
    expect(deviceProgram([allowAll, deny('b 8:7 w')]).denies).to.equal(true);
  });

  it('may be thousands, and take no more than a few instructions each', () => {
    const many = Array.from({ length: 4000 }, (_, minor) =>
      allow(`b ${String(minor % 50)}:${String(minor)} rw`),
    );
    const { code } = deviceProgram([denyAll, ...many]);
    expect(code.length / 8).to.be.lessThan(32_767);
    expect(askProgram(code, request('b 49:3999 rw'))).to.equal(true);
    expect(askProgram(code, request('b 49:3998 rw'))).to.equal(false);
    // The same rule again and again is one rule.
    expect(deviceProgram(Array.from({ length: 50_000 }, () => denyAll)).code.length / 8).to.be.lessThan(80);
  });

  it('are refused when their program would be too long', () => {
    const numbers = Array.from({ length: 3000 }, (_, number) => String(number));
    const rules = numbers.flatMap((number) => [allow(`b ${number}:* r`), allow(`b *:${number} w`)]);
    expect(() => deviceProgram(rules))
      .to.throw(TsrunError, 'too many device rules')
      .with.property('pointer', '/linux/resources/devices');
  });

  it('are refused when they make no sense, as on cgroup v1', () => {
    for (const [bad, pointer] of [
      [{ allow: true, type: 'p', access: 'r' }, '/linux/resources/devices/1/type'],
      [{ allow: true, access: '' }, '/linux/resources/devices/1/access'],
      [{ allow: true, access: 'rx' }, '/linux/resources/devices/1/access'],
    ] as const) {
      expect(() => deviceProgram([denyAll, bad]))
        .to.throw(TsrunError)
        .with.property('pointer', pointer);
    }
  });
});
