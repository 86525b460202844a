import { expect } from 'chai';
import { newerVersion, parseRecord, recordVersion } from './record.ts';
import { recordOf } from './testing/fixtures.ts';

describe('the record of a container', () => {
  const parsed = (changes: Record<string, unknown>): unknown =>
    parseRecord(JSON.stringify({ ...recordOf('c1'), ...changes }));

  it('of a tsrun without the optional fields can be read', () => {
    const record = recordOf('c1');
    delete record.init;
    delete record.initImage;
    expect(parseRecord(JSON.stringify(record))).to.deep.equal(record);
  });

  it('keeps all optional fields', () => {
    const record = recordOf('c1', {
      annotations: { a: 'b' },
      cgroup: {
        driver: 'cgroupfs',
        version: 2,
        paths: { '': '/sys/fs/cgroup/c1' },
        shared: {},
        mark: { name: 'trusted.tsrun', value: 'c1 now 1:2' },
      },
      devices: [{ allow: false }, { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }],
      hooks: { poststart: [{ path: '/a', timeout: 1 }], poststop: [] },
      noNewKeyring: true,
      ownNetwork: false,
      resctrl: { directory: '/sys/fs/resctrl/c1', ownsClass: true, monitor: '/m' },
      stdio: ['pipe:[1]', '', 'file[1:2]'],
    });
    expect(parseRecord(JSON.stringify(record))).to.deep.equal(record);
  });

  it('keeps a field of a newer tsrun with the same version', () => {
    expect(parsed({ news: [1] })).to.deep.include({ news: [1] });
  });

  const wrong: Record<string, unknown> = {
    version: 0,
    id: 1,
    owner: '0',
    phase: 'running',
    runtime: { pid: 0, startTime: 1 },
    init: { pid: 1 },
    ownsCgroup: 'yes',
    ownPids: null,
    ownNetwork: 1,
    noNewKeyring: false,
    annotations: { a: 1 },
    devices: 'none',
    resctrl: { directory: '/x' },
    stdio: [1],
    hooks: { poststart: {} },
  };
  for (const [name, value] of Object.entries(wrong)) {
    it(`is refused with ${name}: ${JSON.stringify(value)}`, () => {
      expect(parsed({ [name]: value })).to.equal(undefined);
    });
  }

  it('is refused with a device rule whose number is no integer', () => {
    expect(parsed({ devices: [{ allow: true, major: 1.5 }] })).to.equal(undefined);
    expect(parsed({ devices: 'unknown' })).not.to.equal(undefined);
  });

  it('of a newer tsrun is told from rubbish by its version', () => {
    expect(newerVersion(JSON.stringify({ version: recordVersion + 1 }))).to.equal(recordVersion + 1);
    for (const text of [
      '',
      '[]',
      '{}',
      '{"version":"2"}',
      '{"version":2.5}',
      JSON.stringify(recordOf('c1')),
    ]) {
      expect(newerVersion(text), text).to.equal(undefined);
    }
  });
});
