import { expect } from 'chai';
import { mountPropagation as flags } from '../config/mount-options.ts';
import { names, onlyOp, opsOf, planOf, planOptions } from './testing/fixtures.ts';
import type { Plan } from './types.ts';
import { rootModes } from './wire.ts';

function withPropagation(rootfsPropagation: string): Plan {
  return planOf((config) => (config.linux = { ...config.linux, rootfsPropagation }));
}

describe('rootfs of a plan', () => {
  it('is the one the command has resolved', () => {
    expect(onlyOp(planOf(), 'rootfs')).to.include({ path: '/bundle/rootfs', origin: '/root/path' });
  });

  it('is entered by pivot_root, or moved when asked for', () => {
    expect(onlyOp(planOf(), 'enterRoot').mode).to.equal(rootModes.pivot);
    const moved = planOf(undefined, undefined, planOptions({ noPivot: true }));
    expect(onlyOp(moved, 'enterRoot').mode).to.equal(rootModes.move);
  });

  describe('propagation', () => {
    const cases: [name: string, host: number, root: number][] = [
      ['', flags.slave | flags.recursive, 0],
      ['shared', flags.shared, flags.shared],
      ['rshared', flags.shared | flags.recursive, flags.shared | flags.recursive],
      ['slave', flags.slave | flags.recursive, flags.slave],
      ['rslave', flags.slave | flags.recursive, flags.slave | flags.recursive],
      ['private', flags.private | flags.recursive, 0],
      ['rprivate', flags.private | flags.recursive, 0],
      ['unbindable', flags.slave | flags.recursive, flags.unbindable],
      ['runbindable', flags.slave | flags.recursive, flags.unbindable | flags.recursive],
    ];
    for (const [name, host, root] of cases) {
      it(name === '' ? 'by default' : name, () => {
        const plan = withPropagation(name);
        expect(onlyOp(plan, 'hostPropagation').flags).to.equal(host);
        expect(opsOf(plan, 'rootPropagation').map((op) => op.flags)).to.deep.equal(root === 0 ? [] : [root]);
      });
    }

    it('refuses other words', () => {
      for (const word of ['sharde', 'constructor', '__proto__']) {
        expect(() => withPropagation(word))
          .to.throw(
            'must be one of shared, rshared, slave, rslave, private, rprivate, unbindable, runbindable',
          )
          .with.property('pointer', '/linux/rootfsPropagation');
      }
    });
  });

  it('is only entered by chroot without a mount namespace', () => {
    const shared = planOf((config) => {
      config.linux = { rootfsPropagation: 'rshared' };
      config.root = { path: 'rootfs' };
      delete config.hostname;
    });
    expect(onlyOp(shared, 'enterRoot')).to.deep.equal({
      op: 'enterRoot',
      origin: '/root/path',
      mode: rootModes.chroot,
    });
    expect(names(shared)).not.to.include.members(['hostPropagation']);
    expect(names(shared)).not.to.include.members(['rootPropagation']);
  });

  it('is read-only when the config says so', () => {
    expect(onlyOp(planOf(), 'readonlyRoot').origin).to.equal('/root/readonly');
    for (const readonly of [false, undefined]) {
      const plan = planOf((config) => {
        config.root = { path: 'rootfs', ...(readonly === undefined ? {} : { readonly }) };
      });
      expect(names(plan)).not.to.include('readonlyRoot');
    }
  });

  it('is read-only without a mount namespace as well, and the mount of the host is not', () => {
    const shared = (readonly: boolean): Plan =>
      planOf((config) => {
        config.root = { path: 'rootfs', readonly };
        config.linux = {};
        delete config.hostname;
      });
    const order = names(shared(true));
    expect(order.filter((op) => /root/i.test(op) && op !== 'becomeRoot')).to.deep.equal([
      'rootfs',
      'detachRootfs',
      'enterRoot',
      'readonlyRoot',
    ]);
    expect(order.indexOf('workingDirectory')).to.be.below(order.indexOf('readonlyRoot'));
    expect(names(shared(false))).not.to.include.members(['detachRootfs']);
    expect(names(planOf())).not.to.include('detachRootfs');
  });
});
