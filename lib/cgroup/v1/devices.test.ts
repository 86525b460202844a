import { expect } from 'chai';
import type { DeviceRule } from '../../config/types.ts';
import { sameDeviceRules } from '../device-rules.ts';
import { deviceChangeV1, deviceStepsV1 } from './devices.ts';

const nothing: DeviceRule = { allow: false, access: 'rwm' };
const fuse = (access: string, allow = true): DeviceRule => ({
  allow,
  type: 'c',
  major: 10,
  minor: 229,
  access,
});

function change(wanted: DeviceRule[], present: DeviceRule[] | undefined): string[] {
  return deviceChangeV1(wanted, present).map(({ file, value }) => `${file} ${value}`);
}

describe('a change of device rules on cgroup v1', () => {
  it('writes what is new', () => {
    expect(change([nothing, fuse('rw')], [nothing])).to.deep.equal(['devices.allow c 10:229 rw']);
    expect(change([nothing, fuse('rwm')], [nothing, fuse('r')])).to.deep.equal(['devices.allow c 10:229 wm']);
  });

  it('takes back what is no longer allowed', () => {
    expect(change([nothing], [nothing, fuse('rwm')])).to.deep.equal(['devices.deny c 10:229 rwm']);
    expect(change([nothing, fuse('rw'), fuse('w', false)], [nothing, fuse('rw')])).to.deep.equal([
      'devices.deny c 10:229 w',
    ]);
  });

  it('writes nothing when the same is allowed', () => {
    expect(change([nothing, fuse('rw')], [fuse('w'), nothing, fuse('w'), fuse('r')])).to.deep.equal([]);
  });

  it('never takes a default device', () => {
    const nullDevice: DeviceRule = { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' };
    expect(change([nothing], [nothing, nullDevice])).to.deep.equal([]);
  });

  it('begins anew from unknown rules, and where everything is allowed', () => {
    const all = deviceStepsV1([nothing]).map(({ file, value }) => `${file} ${value}`);
    const everything: DeviceRule = { allow: true, access: 'rwm' };
    expect(change([nothing], undefined)).to.deep.equal(all);
    expect(change([nothing], [everything])).to.deep.equal(all);
    expect(change([everything], [nothing])).to.deep.equal(['devices.allow a']);
  });

  it('compares rules by what they mean', () => {
    const written: DeviceRule = { allow: false, type: 'a', major: -1, minor: -1, access: 'mwr' };
    expect(sameDeviceRules([nothing], [written])).to.equal(true);
    expect(sameDeviceRules([nothing], [nothing, fuse('r')])).to.equal(false);
    expect(sameDeviceRules([fuse('r')], [fuse('r', false)])).to.equal(false);
  });
});
