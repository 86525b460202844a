import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import { namespaces, namespaceTypes } from '../config/namespaces.ts';
import type { Config } from '../config/types.ts';
import {
  fullMap,
  names,
  namespaceList,
  onlyOp,
  opsOf,
  planOf,
  planOptions,
  rootFacts,
  userFacts,
} from './testing/fixtures.ts';
import { type OpName, wireOps } from './wire.ts';

function joinAll(config: Config): void {
  config.linux = { namespaces: namespaceTypes.map((type) => ({ type, path: `/ns/${type}` })) };
}

describe('namespaces of a plan', () => {
  it('are made by the clone, except cgroup and time', () => {
    const types = namespaceTypes.filter((type) => type !== 'user');
    const plan = planOf((config) => (config.linux = { namespaces: namespaceList(...types) }));
    const { flags } = onlyOp(plan, 'clone');
    for (const type of types) {
      const cloned = (Number(flags) & namespaces[type].flag) !== 0;
      expect(cloned, type).to.equal(type !== 'cgroup' && type !== 'time');
    }
    expect(onlyOp(plan, 'unshare')).to.include({ flags: namespaces.cgroup.flag });
    expect(onlyOp(plan, 'timeNamespace')).to.include({ offsets: '' });
  });

  it('are made by root of a new user namespace where they would belong to somebody else', () => {
    const plan = planOf((config) => {
      const namespaces = namespaceList('user', 'uts', 'mount', 'ipc');
      config.linux = { namespaces, uidMappings: fullMap, gidMappings: fullMap };
    });
    const { user, uts, mount, ipc } = namespaces;
    expect(onlyOp(plan, 'clone').flags).to.equal(user.flag + uts.flag + mount.flag);
    expect(onlyOp(plan, 'unshare')).to.include({ flags: ipc.flag, origin: '/linux/namespaces/3' });
    const order = names(plan);
    expect(order.indexOf('unshare')).to.be.above(order.indexOf('becomeRoot'));
  });

  it('are not made when they are shared', () => {
    const plan = planOf((config) => {
      config.linux = {};
      delete config.hostname;
      delete config.root?.readonly;
    });
    expect(onlyOp(plan, 'clone')).to.include({ flags: 0, origin: '' });
    const absent: OpName[] = ['becomeRoot', 'unshare', 'timeNamespace', 'loopback', 'openNamespace'];
    expect(names(plan).filter((name) => absent.includes(name))).to.deep.equal([]);
  });

  it('count as new with an empty path', () => {
    const plan = planOf(
      (config) => (config.linux = { namespaces: [{ type: 'uts', path: '' }, { type: 'mount' }] }),
    );
    expect(names(plan)).not.to.include('openNamespace');
    expect(onlyOp(plan, 'clone').flags).to.equal(namespaces.uts.flag + namespaces.mount.flag);
  });

  it('are all opened before the first is entered, each with its type', () => {
    const plan = planOf(joinAll);
    const opened = opsOf(plan, 'openNamespace');
    expect(opened.map(({ type, path, origin }) => [type, path, origin])).to.deep.equal(
      namespaceTypes.map((type, index) => [
        namespaces[type].flag,
        `/ns/${type}`,
        `/linux/namespaces/${index}/path`,
      ]),
    );
    expect(names(plan)).not.to.include('unshare');
    expect(new Set(opsOf(plan, 'enterNamespace').map(({ slot }) => slot))).to.deep.equal(
      new Set(opened.map(({ slot }) => slot)),
    );
  });

  it('say what a sysctl of the config would change in them', () => {
    const plan = planOf((config) => {
      joinAll(config);
      config.linux = { ...config.linux, sysctl: { 'net.ipv4.ip_forward': '1' } };
    });
    const changes = opsOf(plan, 'openNamespace').filter((op) => op.changes !== '');
    expect(changes.map((op) => [op.type, op.changes])).to.deep.equal([
      [namespaces.network.flag, 'sysctl net.ipv4.ip_forward'],
    ]);
  });

  it('are entered with the user namespace last by root, first by others', () => {
    const user = namespaces.user.flag;
    const order = (facts: ReturnType<typeof rootFacts>): number[] =>
      opsOf(planOf(joinAll, facts), 'enterNamespace')
        .map(({ type }) => type)
        .filter((type) => type !== namespaces.pid.flag);
    expect(order(rootFacts()).at(-1)).to.equal(user);
    // Root of a user namespace has power over those below it, and loses it by entering one.
    expect(order(userFacts({ uid: 0 })).at(-1)).to.equal(user);
    expect(order(userFacts())[0]).to.equal(user);
    for (const facts of [rootFacts(), userFacts()]) {
      const others = order(facts).filter((type) => type !== user);
      expect(others.at(-1)).to.equal(namespaces.mount.flag);
      expect(others).to.have.length(namespaceTypes.length - 2);
    }
  });

  const joinPid = (config: Config): void => {
    config.linux = {
      namespaces: [{ type: 'pid', path: '/ns/pid' }, ...namespaceList('mount', 'uts', 'ipc')],
      maskedPaths: ['/proc/keys'],
    };
  };

  it('of processes are entered last, so that nobody in there sees the container being made', () => {
    for (const facts of [rootFacts(), userFacts()]) {
      const order = names(planOf(joinPid, facts));
      const entered = order.lastIndexOf('enterNamespace');
      for (const before of [
        'unshare',
        'sync',
        'mountFilesystem',
        'maskPath',
        'enterRoot',
        'workingDirectory',
      ] as const)
        expect(order.indexOf(before), before).to.be.within(0, entered);
      for (const after of ['capabilities', 'findExecutable', 'cloneVisible', 'newSession'] as const)
        expect(order.indexOf(after), after).to.be.above(entered);
    }
    expect(names(planOf())).not.to.include('cloneVisible');
  });

  it('of processes that are joined are shown by procfs before they are entered', () => {
    const plan = planOf(joinPid);
    const order = names(plan);
    expect(order.indexOf('procfsPidNamespace')).to.be.within(0, order.indexOf('mountFilesystem'));
    expect(onlyOp(plan, 'procfsPidNamespace').slot).to.equal(onlyOp(plan, 'openNamespace').slot);
    expect(names(planOf())).not.to.include('procfsPidNamespace');
  });

  it('of processes are entered while there is still the power to, in a new user namespace', () => {
    const change = (config: Config): void => {
      joinPid(config);
      config.linux = {
        namespaces: [...(config.linux?.namespaces ?? []), { type: 'user' }],
        uidMappings: fullMap,
        gidMappings: fullMap,
      };
    };
    const order = names(planOf(change));
    expect(order.indexOf('enterNamespace')).to.be.below(order.indexOf('unshare'));
    const withHook = (config: Config): void => {
      change(config);
      config.hooks = { createContainer: [{ path: '/bin/true' }] };
    };
    expect(() => planOf(withHook))
      .to.throw(TsrunError)
      .that.includes({ code: 'config', pointer: '/hooks/createContainer' });
  });

  it('of processes may be entered before a user namespace that is joined and has no power over them', () => {
    const change = (config: Config): void => {
      config.linux = {
        namespaces: [
          { type: 'user', path: '/ns/user' },
          { type: 'pid', path: '/ns/pid' },
          ...namespaceList('mount', 'uts', 'ipc'),
        ],
      };
    };
    const [user, pid] = opsOf(planOf(change), 'openNamespace').map(({ slot }) => slot);
    const order = names(planOf(change));
    expect(order.indexOf('enterPidNamespaceOfOthers')).to.be.within(0, order.indexOf('enterNamespace'));
    const origin = '/linux/namespaces/1/path';
    const op = { op: 'enterPidNamespaceOfOthers', origin, slot: pid, userSlot: user };
    expect(onlyOp(planOf(change), 'enterPidNamespaceOfOthers')).to.deep.equal({ ...op, hooks: 0 });
    const withHook = planOf((config) => {
      change(config);
      config.hooks = { createContainer: [{ path: '/bin/true' }] };
    });
    expect(onlyOp(withHook, 'enterPidNamespaceOfOthers')).to.deep.equal({ ...op, hooks: 1 });
    // Who is not root gets the power from the user namespace, and has none over others.
    for (const plan of [planOf(change, userFacts()), planOf(joinPid)]) {
      expect(names(plan)).not.to.include('enterPidNamespaceOfOthers');
      for (const name of names(plan)) expect(wireOps).to.have.property(name);
    }
  });

  it('get root only when the user namespace is new', () => {
    const plan = planOf((config) => {
      config.linux = {
        namespaces: namespaceList('user', 'mount', 'uts'),
        uidMappings: fullMap,
        gidMappings: fullMap,
      };
    });
    expect(onlyOp(plan, 'becomeRoot').origin).to.equal('/linux/uidMappings');
    expect(names(planOf(joinAll))).not.to.include('becomeRoot');
  });

  it('have their loopback up when they are new', () => {
    expect(names(planOf())).to.include('loopback');
    expect(names(planOf(joinAll))).not.to.include('loopback');
  });

  it('write time offsets exactly', () => {
    const plan = planOf((config) => {
      config.linux = {
        namespaces: namespaceList('time', 'mount', 'uts'),
        timeOffsets: { monotonic: { secs: -86400, nanosecs: 5 }, boottime: { secs: 9007199254740993n } },
      };
    });
    expect(onlyOp(plan, 'timeNamespace')).to.include({
      offsets: 'monotonic -86400 5\nboottime 9007199254740993 0\n',
      origin: '/linux/timeOffsets',
    });
  });

  it('of time are made where their offsets can be written without coming out of hiding', () => {
    const order = (change: (config: Config) => void): OpName[] =>
      names(planOf(change)).filter((name) =>
        ['openTimeOffsets', 'enterNamespace', 'timeNamespace', 'clone', 'sync', 'becomeRoot'].includes(name),
      );
    const joining = (config: Config): void => {
      const joined = (['pid', 'user'] as const).map((type) => ({ type, path: `/ns/${type}` }));
      config.linux = { namespaces: [...joined, ...namespaceList('time', 'mount', 'uts')] };
    };
    const making = (config: Config): void => {
      const maps = { uidMappings: fullMap, gidMappings: fullMap };
      config.linux = { namespaces: namespaceList('time', 'user', 'mount', 'uts'), ...maps };
    };
    const inA: OpName[] = ['openTimeOffsets', 'enterNamespace', 'timeNamespace', 'sync', 'enterNamespace'];
    expect(order(joining).slice(0, 5)).to.deep.equal(inA);
    expect(order(making).slice(0, 4)).to.deep.equal(['clone', 'timeNamespace', 'sync', 'becomeRoot']);
  });

  it('join a new session keyring unless told not to', () => {
    expect(onlyOp(planOf(), 'keyring').name).to.equal('_ses.c1');
    const without = planOf(undefined, undefined, planOptions({ noNewKeyring: true }));
    expect(names(without)).not.to.include('keyring');
  });

  it('set names only when there are some', () => {
    const plan = planOf((config) => {
      config.hostname = '';
      config.domainname = 'example.org';
    });
    expect(names(plan)).not.to.include('hostname');
    expect(onlyOp(plan, 'domainname')).to.include({ name: 'example.org', origin: '/domainname' });
    expect(onlyOp(planOf(), 'hostname').name).to.equal('box');
  });
});
