import { expect } from 'chai';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { installation } from '../../lib/native/install.ts';
import type { Message } from '../../lib/engine/message-packet.ts';
import {
  afterMounts,
  clone,
  errno,
  errorOf,
  newNs,
  outputOf,
  program,
  runOps,
  scratch,
} from './testing/ops.ts';
import type { TestOp } from './testing/plan.ts';

describe('init: sysctl', () => {
  const { path, file } = scratch();

  const networkSetting = '/proc/sys/net/ipv4/ip_forward';
  // What a new network namespace has not: it begins with what the host has.
  const [old, changed] = readFileSync(networkSetting, 'utf8') === '0\n' ? ['0', '1'] : ['1', '0'];
  const ops: TestOp[] = [
    clone(newNs.network),
    { op: 'sysctl', path: 'net/ipv4/ip_forward', value: changed },
    ...program(['cat', networkSetting]),
  ];
  it('is set in the namespace of the container', () => {
    const before = readFileSync(networkSetting, 'utf8');
    expect(outputOf([clone(newNs.network), ...program(['cat', networkSetting])])).to.equal(`${old}\n`);
    expect(outputOf(ops)).to.equal(`${changed}\n`);
    expect(readFileSync(networkSetting, 'utf8')).to.equal(before);
  });

  it('is not written to a file that covers /proc', () => {
    const fake = path('fake-proc');
    mkdirSync(`${fake}/sys/net/ipv4`, { recursive: true });
    writeFileSync(`${fake}/sys/net/ipv4/ip_forward`, 'untouched');
    const result = runOps(ops, { wrap: afterMounts(`mount --bind ${fake} /proc`) });
    expect(result.status).to.equal(0);
    expect(readFileSync(`${fake}/sys/net/ipv4/ip_forward`, 'utf8')).to.equal('untouched');
  });

  describe('where a part of /proc is hidden', () => {
    // Not a setting of the network: those are other files in each network namespace, so nothing covers them.
    const setting = '/proc/sys/kernel/hostname';
    const hostname: TestOp[] = [
      clone(newNs.uts),
      { op: 'sysctl', path: 'kernel/hostname', value: 'through' },
      ...program(['uname', '-n']),
    ];

    it('gets past a mask and a read-only mount', () => {
      const mask = file('mask', 'untouched');
      expect(outputOf(hostname, { wrap: afterMounts(`mount --bind ${mask} ${setting}`) })).to.equal(
        'through\n',
      );
      expect(readFileSync(mask, 'utf8')).to.equal('untouched');
      const readOnly = 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys';
      expect(outputOf(hostname, { wrap: afterMounts(readOnly) })).to.equal('through\n');
      expect(outputOf(hostname, { wrap: afterMounts('mount -t tmpfs none /proc') })).to.equal('through\n');
      expect(outputOf(hostname, { wrap: afterMounts('umount -l /proc') })).to.equal('through\n');
    });

    it('is refused when the kernel makes no other procfs', () => {
      const mask = file('locked-mask', 'untouched');
      const inUserNamespace = `unshare -Urm ${installation().init}`;
      const wrap = afterMounts(`mount --bind ${mask} ${setting}`, inUserNamespace);
      expect(errorOf(hostname, { wrap })).to.include({
        op: 1,
        errno: errno.EXDEV,
        detail: "write 'through' to /proc/sys/kernel/hostname, which something is mounted over",
      });
      expect(readFileSync(mask, 'utf8')).to.equal('untouched');
    });
  });

  it('stays inside of /proc/sys and says what the kernel refuses', () => {
    const sysctl = (name: string, value = '1'): Message =>
      errorOf([clone(newNs.network), { op: 'sysctl', path: name, value }, ...program(['true'])]);
    expect(sysctl('../self/oom_score_adj')).to.include({ op: 1, errno: errno.EINVAL });
    expect(sysctl('net/..')).to.include({ errno: errno.EINVAL });
    expect(sysctl('net/no/such')).to.include({
      errno: errno.ENOENT,
      detail: 'this kernel, or this namespace, has no /proc/sys/net/no/such',
    });
    expect(sysctl('net/ipv4/ip_forward', 'x')).to.include({
      errno: errno.EINVAL,
      detail: "write 'x' to /proc/sys/net/ipv4/ip_forward",
    });
  });
});
