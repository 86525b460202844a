import { statSync } from 'node:fs';
import { expect } from 'chai';
import type { Config } from '../config/types.ts';
import { externalNamespaces, hooksMakeNetwork, joinNamespaces } from './external-namespaces.ts';

describe('external namespaces of a checkpoint', () => {
  const config = (...namespaces: NonNullable<Config['linux']>['namespaces'] & object): Config => ({
    ociVersion: '1.3.0',
    linux: { namespaces },
  });

  it('are the network and pid namespaces with a path, as the process has them', () => {
    const network = statSync('/proc/self/ns/net').ino;
    const joined = config(
      { type: 'network', path: '/elsewhere' },
      { type: 'pid' },
      { type: 'ipc', path: '/proc/self/ns/ipc' },
    );
    expect(externalNamespaces(process.pid, joined)).to.deep.equal([`net[${network}]:extRootNetNS`]);
  });

  it('are given to criu as descriptors or, where it takes no descriptor, by their path', () => {
    const joined = joinNamespaces(
      config(
        { type: 'ipc', path: '/proc/self/ns/ipc' },
        { type: 'network', path: '/proc/self/ns/net' },
        { type: 'mount' },
        { type: 'pid', path: '/proc/self/ns/pid' },
      ),
      5,
    );
    expect(joined.fds).to.have.lengthOf(2);
    expect(joined.options).to.deep.equal({
      inherit_fd: [
        { key: 'extRootNetNS', fd: 5 },
        { key: 'extRootPidNS', fd: 6 },
      ],
      join_ns: [{ ns: 'ipc', ns_file: '/proc/self/ns/ipc' }],
    });
    joined.close();
    expect(joined.fds).to.have.lengthOf(0);
  });

  it('cannot be cgroup namespaces', () => {
    expect(() => joinNamespaces(config({ type: 'cgroup', path: '/proc/self/ns/cgroup' }), 5)).to.throw(
      /cgroup namespace/,
    );
  });

  it('have no network of their own when hooks set it up', () => {
    expect(hooksMakeNetwork({ ociVersion: '1.3.0' })).to.equal(false);
    expect(hooksMakeNetwork({ ociVersion: '1.3.0', hooks: { poststop: [{ path: '/x' }] } })).to.equal(false);
    expect(hooksMakeNetwork({ ociVersion: '1.3.0', hooks: { prestart: [{ path: '/x' }] } })).to.equal(true);
  });
});
