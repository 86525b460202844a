import { expect } from 'chai';
import type { Linux } from '../config/types.ts';
import { newRecord } from './new-record.ts';
import { type ContainerRecord, parseRecord } from './record.ts';

describe('the first record of a container', () => {
  const recordWith = (linux: Linux, terminal = false): ContainerRecord =>
    newRecord({
      id: 'c1',
      bundle: {
        directory: '/b',
        config: { ociVersion: '1.3.0', process: { cwd: '/', terminal }, linux },
      },
      rootfs: '/b/rootfs',
      facts: { uid: 0 },
      cgroup: { driver: 'cgroupfs', version: 2, paths: {}, shared: {} },
      noNewKeyring: false,
      stdio: [0, 1, 2],
    });

  it('can be read again, and names the process that makes the container', () => {
    const record = recordWith({});
    expect(parseRecord(JSON.stringify(record))).to.deep.equal(record);
    expect(record).to.deep.include({ phase: 'creating', ownsCgroup: false });
    expect(record.runtime.pid).to.equal(process.pid);
  });

  it('says which namespaces are not those of the caller', () => {
    expect(recordWith({})).to.include({ ownPids: false, ownNetwork: false });
    const own = recordWith({ namespaces: [{ type: 'pid' }, { type: 'network' }] });
    expect(own).to.include({ ownPids: true, ownNetwork: true });
    const joined = recordWith({
      namespaces: [
        { type: 'pid', path: '/p' },
        { type: 'network', path: '/n' },
      ],
    });
    expect(joined).to.include({ ownPids: false, ownNetwork: true });
  });

  it('says when the config has no device rules', () => {
    expect(recordWith({}).devices).to.deep.equal([]);
    expect(recordWith({ resources: { devices: [] } }).devices).to.deep.equal([]);
    expect(recordWith({ resources: { devices: [{ allow: false }] } }).devices).to.equal(undefined);
  });

  it('has the stdio of a container without a terminal', () => {
    expect(recordWith({}).stdio).to.have.lengthOf(3);
    expect(recordWith({}, true).stdio).to.equal(undefined);
  });
});
