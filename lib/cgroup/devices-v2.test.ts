import { expect } from 'chai';
import type { DeviceRule } from '../spec/types.ts';
import { deviceProgram } from './devices-v2.ts';

type Access = 'm' | 'r' | 'w' | 'rw' | 'rwm';

const bits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

/** Runs the program as the kernel would: the instructions deviceProgram uses, and no others. */
function allows(
  rules: readonly DeviceRule[],
  type: 'b' | 'c',
  major: number,
  minor: number,
  access: Access,
): boolean {
  const program = Buffer.from(deviceProgram(rules));
  const wanted = access.split('').reduce((sum, letter) => sum | (bits[letter] ?? 0), 0);
  const context = [(wanted << 16) | (type === 'b' ? 1 : 2), major, minor];
  const registers = new Array<number>(11).fill(0);
  for (let at = 0, steps = 0; steps < 100_000; at++, steps++) {
    const code = program.readUInt8(at * 8);
    const to = program.readUInt8(at * 8 + 1) & 0xf;
    const offset = program.readInt16LE(at * 8 + 2);
    const immediate = program.readInt32LE(at * 8 + 4);
    const value = registers[to] ?? 0;
    if (code === 0x61) registers[to] = context[offset / 4] ?? 0;
    else if (code === 0x54) registers[to] = (value & immediate) >>> 0;
    else if (code === 0x74) registers[to] = value >>> immediate;
    else if (code === 0xb7) registers[to] = immediate;
    else if (code === 0x55) at += value === immediate ? 0 : offset;
    else if (code === 0x45) at += (value & immediate) === 0 ? 0 : offset;
    else if (code === 0x05) at += offset;
    else if (code === 0x95) return registers[0] === 1;
    else throw new Error(`instruction ${code.toString(16)}`);
  }
  throw new Error('the program does not end');
}

describe('device rules on cgroup v2', () => {
  const denyAll: DeviceRule = { allow: false, access: 'rwm' };

  it('allow the default devices and making nodes, and nothing else', () => {
    for (const rules of [[], [denyAll]]) {
      expect(allows(rules, 'c', 1, 3, 'rw')).to.equal(true);
      expect(allows(rules, 'c', 136, 7, 'rw')).to.equal(true);
      expect(allows(rules, 'b', 8, 0, 'm')).to.equal(true);
      expect(allows(rules, 'b', 8, 0, 'r')).to.equal(false);
      expect(allows(rules, 'c', 1, 1, 'r')).to.equal(false);
      expect(allows(rules, 'b', 1, 3, 'r'), 'the other type').to.equal(false);
    }
  });

  it('let the last rule decide', () => {
    const allow: DeviceRule = { allow: true, type: 'b', major: 8, access: 'rw' };
    const deny: DeviceRule = { allow: false, type: 'b', major: 8, minor: 1, access: 'w' };
    expect(allows([denyAll, allow, deny], 'b', 8, 0, 'rw')).to.equal(true);
    expect(allows([denyAll, allow, deny], 'b', 8, 1, 'r')).to.equal(true);
    expect(allows([denyAll, allow, deny], 'b', 8, 1, 'rw')).to.equal(false);
    expect(allows([denyAll, deny, allow], 'b', 8, 1, 'rw')).to.equal(true);
    expect(allows([allow, denyAll], 'b', 8, 0, 'r')).to.equal(false);
  });

  it('add up what several rules allow', () => {
    const rules: DeviceRule[] = [
      denyAll,
      { allow: true, type: 'c', major: 10, minor: 1, access: 'r' },
      { allow: true, type: 'c', major: 10, minor: 1, access: 'w' },
    ];
    expect(allows(rules, 'c', 10, 1, 'rw')).to.equal(true);
    expect(allows(rules, 'c', 10, 1, 'rwm')).to.equal(true);
    expect(allows(rules, 'c', 10, 2, 'r')).to.equal(false);
  });

  it('allow everything after a rule that does', () => {
    expect(allows([{ allow: true, access: 'rwm' }], 'b', 8, 0, 'rwm')).to.equal(true);
    const except: DeviceRule[] = [
      { allow: true, access: 'rwm' },
      { allow: false, type: 'b', major: 8, access: 'rwm' },
    ];
    expect(allows(except, 'b', 8, 0, 'r')).to.equal(false);
    expect(allows(except, 'b', 9, 0, 'rwm')).to.equal(true);
  });

  it('have no instruction that nothing leads to, which the verifier refuses', () => {
    for (const rules of [[], [denyAll], [{ allow: true, access: 'rwm' }]]) {
      const program = Buffer.from(deviceProgram(rules));
      const last = program.length / 8 - 1;
      expect(program.readUInt8(last * 8)).to.equal(0x95);
      expect(program.readUInt8((last - 1) * 8)).to.equal(0xb7);
    }
  });
});
