import { expect } from 'chai';
import { sysctlIn, sysctlNamespace, sysctlPath } from './sysctl.ts';

describe('a sysctl', () => {
  it('is a path, whichever of its separators comes first', () => {
    for (const [name, path] of [
      ['net.ipv4.ip_forward', 'net/ipv4/ip_forward'],
      ['net/ipv4/conf/eth0.1/rp_filter', 'net/ipv4/conf/eth0.1/rp_filter'],
      ['net.ipv4.conf.eth0/1.rp_filter', 'net/ipv4/conf/eth0.1/rp_filter'],
      ['kernel', 'kernel'],
    ] as const)
      expect(sysctlPath(name)).to.equal(path);
  });

  it('belongs to a namespace, or to the host', () => {
    for (const [path, type] of [
      ['kernel/sem', 'ipc'],
      ['fs/mqueue/msg_max', 'ipc'],
      ['fs/mqueuex', undefined],
      ['net/core/somaxconn', 'network'],
      ['network', undefined],
      ['kernel/hostname', 'uts'],
      ['kernel/domainname', 'uts'],
      ['user/max_user_namespaces', 'user'],
      ['kernel/panic', undefined],
    ] as const)
      expect(sysctlNamespace(path), path).to.equal(type);
  });

  it('is found by the namespace it is set in, as the config names it', () => {
    const sysctl = { 'kernel.panic': '1', 'net.ipv4.ip_forward': '1', 'net/core/somaxconn': '5' };
    expect(sysctlIn({ sysctl }, 'network')).to.equal('net.ipv4.ip_forward');
    expect(sysctlIn({ sysctl }, 'ipc')).to.equal(undefined);
    expect(sysctlIn({}, 'network')).to.equal(undefined);
    expect(sysctlIn(undefined, 'network')).to.equal(undefined);
  });
});
