import { expect } from 'chai';
import type { Config } from '../config/types.ts';
import { Draft } from './draft.ts';
import { deniesSetgroups } from './privileges.ts';
import { namespaceList, planOptions, rootFacts, userFacts } from './testing/fixtures.ts';
import type { HostFacts } from '../host/facts.ts';

describe('setgroups(2)', () => {
  const denied = (facts: HostFacts, config: Partial<Config> = {}): boolean =>
    deniesSetgroups(new Draft({ ociVersion: '1.3.0', ...config }, facts, planOptions()));
  const one = [{ containerID: 0, hostID: 1000, size: 1 }];
  const mapped = (gidMappings: typeof one): Partial<Config> => ({
    linux: { namespaces: namespaceList('user'), uidMappings: one, gidMappings },
  });

  it('is allowed to root', () => {
    expect(denied(rootFacts(), mapped(one))).to.be.false;
    expect(denied(rootFacts({ setgroupsDenied: true }), mapped(one))).to.be.false;
  });

  it('is as it is around a user namespace whose root tsrun is', () => {
    const facts = userFacts({ uid: 0, gid: 0 });
    expect(denied(facts, mapped(one))).to.be.false;
    expect(denied({ ...facts, setgroupsDenied: false }, mapped(one))).to.be.false;
    expect(denied({ ...facts, setgroupsDenied: true }, mapped(one))).to.be.true;
  });

  it('is denied to a user who maps only the own group', () => {
    expect(denied(userFacts(), mapped(one))).to.be.true;
    expect(denied(userFacts(), mapped([{ containerID: 0, hostID: 1000, size: 2 }]))).to.be.false;
    expect(denied(userFacts(), mapped([...one, { containerID: 1, hostID: 100000, size: 1 }]))).to.be.false;
    expect(denied(userFacts(), mapped([]))).to.be.false;
    expect(denied(userFacts(), {})).to.be.false;
    expect(denied(userFacts(), { linux: {} })).to.be.false;
  });

  it('in a joined user namespace matters only with groups to set', () => {
    const joined = { linux: { namespaces: [{ type: 'user', path: '/ns' } as const] } };
    const groups = (additionalGids?: number[]): Partial<Config> => ({
      ...joined,
      process: { cwd: '/', user: additionalGids === undefined ? {} : { additionalGids } },
    });
    expect(denied(userFacts(), joined)).to.be.true;
    expect(denied(userFacts(), { ...joined, process: { cwd: '/' } })).to.be.true;
    expect(denied(userFacts(), groups())).to.be.true;
    expect(denied(userFacts(), groups([]))).to.be.true;
    expect(denied(userFacts(), groups([5]))).to.be.false;
  });
});
