import { expect } from 'chai';
import type { Config, Mount, Namespace } from '../config/types.ts';
import { cgroupOwner } from './delegation.ts';

const mount: Mount = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid'] };
const maps = [
  { containerID: 0, hostID: 100_000, size: 1000 },
  { containerID: 1000, hostID: 5, size: 1 },
];

function owner(change: { mount?: Partial<Mount>; namespaces?: Namespace[]; uid?: number } = {}): unknown {
  const { namespaces = [{ type: 'cgroup' }, { type: 'user' }], uid = 0 } = change;
  const config: Config = {
    ociVersion: '1.3.0',
    process: { cwd: '/', user: { uid, gid: 0 } },
    mounts: [
      { destination: '/proc', type: 'proc' },
      { ...mount, ...change.mount },
    ],
    linux: { namespaces, uidMappings: maps },
  };
  return cgroupOwner(config);
}

describe('the owner of a cgroup', () => {
  it('is the user of the process, as the host has it', () => {
    expect(owner()).to.equal(100_000);
    expect(owner({ uid: 999 })).to.equal(100_999);
    expect(owner({ uid: 1000 })).to.equal(5);
    expect(owner({ uid: 1001 })).to.equal(undefined);
    expect(owner({ namespaces: [{ type: 'cgroup', path: '' }], uid: 7 })).to.equal(7);
  });

  it('is nobody new without a cgroup namespace of the container, or with a user namespace of others', () => {
    expect(owner({ namespaces: [{ type: 'user' }] })).to.equal(undefined);
    expect(owner({ namespaces: [{ type: 'user' }, { type: 'cgroup', path: '/x' }] })).to.equal(undefined);
    expect(owner({ namespaces: [{ type: 'cgroup' }, { type: 'user', path: '/x' }] })).to.equal(undefined);
  });

  it('is nobody new where the container may not write there', () => {
    for (const options of [['ro'], ['rw', 'ro'], ['rro'], ['rbind']])
      expect(owner({ mount: { options } })).to.equal(undefined);
    for (const options of [['ro', 'rw'], []]) expect(owner({ mount: { options } })).to.equal(100_000);
    expect(owner({ mount: { destination: '/sys/fs/cgroup/' } })).to.equal(100_000);
    expect(owner({ mount: { destination: '/cgroup' } })).to.equal(undefined);
    expect(owner({ mount: { source: '/host' } })).to.equal(undefined);
    expect(owner({ mount: { type: 'bind', options: ['rbind'] } })).to.equal(undefined);
  });
});
