import { expect } from 'chai';
import { onlyOp, opsOf, planOf } from './testing/fixtures.ts';
import type { Plan } from './types.ts';

function withSysctl(sysctl: Record<string, string>): Plan {
  return planOf((config) => (config.linux = { ...config.linux, sysctl }));
}

describe('compileSysctl', () => {
  it('takes both separators, as sysctl(8)', () => {
    const cases = {
      'net.ipv4.ip_forward': 'net/ipv4/ip_forward',
      'net/ipv4/ip_forward': 'net/ipv4/ip_forward',
      'net.ipv4.conf.eth0/100.forwarding': 'net/ipv4/conf/eth0.100/forwarding',
      'net/ipv4/conf/eth0.100/forwarding': 'net/ipv4/conf/eth0.100/forwarding',
      'kernel.msgmax': 'kernel/msgmax',
    };
    for (const [key, path] of Object.entries(cases)) {
      expect(onlyOp(withSysctl({ [key]: '1' }), 'sysctl'), key).to.include({ path, value: '1' });
    }
  });

  it('points to the key', () => {
    const plan = withSysctl({ 'net/ipv4/~x': '1' });
    expect(onlyOp(plan, 'sysctl').origin).to.equal('/linux/sysctl/net~1ipv4~1~0x');
  });

  it('does not leave /proc/sys', () => {
    for (const key of [
      'net/../kernel/core_pattern',
      '/kernel/x',
      'net..x',
      '',
      '.',
      'net/./x',
      'net.x.',
      'a/',
    ]) {
      expect(() => withSysctl({ [key]: '1' }), key)
        .to.throw('is not the name of a kernel parameter')
        .with.property('code', 'config');
    }
  });
});

describe('compilePaths', () => {
  it('keeps each with its origin', () => {
    const plan = planOf();
    expect(opsOf(plan, 'maskPath').map(({ path, origin }) => [path, origin])).to.deep.equal([
      ['/proc/kcore', '/linux/maskedPaths/0'],
      ['/proc/keys', '/linux/maskedPaths/1'],
    ]);
    expect(opsOf(plan, 'readonlyPath').map(({ path, origin }) => [path, origin])).to.deep.equal([
      ['/proc/sys', '/linux/readonlyPaths/0'],
      ['/proc/bus', '/linux/readonlyPaths/1'],
    ]);
  });
});
