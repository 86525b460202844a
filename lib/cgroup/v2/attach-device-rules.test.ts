import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { DeviceRule } from '../../config/types.ts';
import { attachDeviceRules } from './attach-device-rules.ts';
import { failure, layout, TestCgroups } from '../testing/cgroups.ts';
import { needRoot, skip } from '../../testing/skip.ts';

const denyAll: DeviceRule = { allow: false, access: 'rwm' };
/** Of the kernel's log: a device that is everywhere, and no container's by default. */
const allowLog: DeviceRule = { allow: true, type: 'c', major: 1, minor: 11, access: 'r' };

describe('device rules in the kernel', function () {
  let cgroups: TestCgroups;
  let directory: string;

  this.timeout(60_000);

  before(function () {
    needRoot(this);
    if (layout.v2 === undefined) skip(this, 'no cgroup v2 is mounted');
    // Other device rules may hold for us already.
    if (tryOpen('/sys/fs/cgroup', '/dev/kmsg', false) !== '') skip(this, '/dev/kmsg cannot be opened here');
  });
  beforeEach(() => {
    cgroups = new TestCgroups();
    directory = cgroups.record().paths[''] ?? '';
    mkdirSync(directory);
  });
  afterEach(() => cgroups.cleanUp());

  /** What a shell in the cgroup says when it opens the file; '' when nothing is wrong. */
  function tryOpen(cgroup: string, file: string, join = true): string {
    const script = `${join ? `echo $$ > ${cgroup}/cgroup.procs && ` : ''}exec 3<${file}`;
    return spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).stderr;
  }

  it('hold for the processes in the cgroup', () => {
    attachDeviceRules(directory, [denyAll]);
    expect(tryOpen(directory, '/dev/zero')).to.equal('');
    expect(tryOpen(directory, '/dev/kmsg')).to.contain('Operation not permitted');
    expect(tryOpen(directory, '/dev/kmsg', false)).to.equal('');
  });

  it('are replaced by later ones, and not added to them', () => {
    attachDeviceRules(directory, [denyAll]);
    attachDeviceRules(directory, [denyAll, allowLog]);
    expect(tryOpen(directory, '/dev/kmsg')).to.equal('');
    attachDeviceRules(directory, [denyAll]);
    expect(tryOpen(directory, '/dev/kmsg')).to.contain('Operation not permitted');
    // More often than programs fit on one cgroup.
    for (let count = 0; count < 70; count++) attachDeviceRules(directory, [{ allow: true, access: 'rwm' }]);
    expect(tryOpen(directory, '/dev/kmsg')).to.equal('');
  });

  it('of a cgroup above stay in force', () => {
    const inner = `${directory}/inner`;
    mkdirSync(inner);
    attachDeviceRules(directory, [denyAll]);
    attachDeviceRules(inner, [{ allow: true, access: 'rwm' }]);
    expect(tryOpen(inner, '/dev/kmsg')).to.contain('Operation not permitted');
  });

  it('may be thousands', () => {
    const some = Array.from({ length: 5000 }, (_, minor): DeviceRule => {
      const access = ['r', 'w', 'rw', 'rwm'][minor % 4] ?? '';
      return { allow: minor % 3 > 0, type: 'c', major: 200 + (minor % 7), minor, access };
    });
    attachDeviceRules(directory, [denyAll, ...some, allowLog]);
    expect(tryOpen(directory, '/dev/kmsg')).to.equal('');
    attachDeviceRules(directory, [denyAll, allowLog, ...some, denyAll, ...some]);
    expect(tryOpen(directory, '/dev/kmsg')).to.contain('Operation not permitted');
  });

  it('that cannot be set are an error, unless they deny nothing', () => {
    const error = failure(() => {
      attachDeviceRules('/proc', [denyAll]);
    });
    expect(error.message).to.contain('set the device rules of /proc: ');
    expect(error.pointer).to.equal('/linux/resources/devices');
    attachDeviceRules('/proc', [{ allow: true, access: 'rwm' }]);
  });
});
