import { expect } from 'chai';
import { mountAttributes as attr, mountOptions, mountPropagation } from '../config/mount-options.ts';
import type { Config, Mount } from '../config/types.ts';
import {
  fullMap,
  mountOps,
  names,
  namespaceList,
  onlyOp,
  opsOf,
  planOf,
  planOptions,
  rootFacts,
  userFacts,
  warningsOf,
} from './testing/fixtures.ts';
import { mountFlags, noSlot, type Op } from './wire.ts';

function tmpfs(...options: string[]): Op[] {
  return mountOps({ destination: '/t', type: 'tmpfs', source: 'tmpfs', options });
}

function bind(...options: string[]): Op[] {
  return mountOps({ destination: '/b', source: '/srv', options: ['bind', ...options] });
}

function withUserNamespace(config: Config): void {
  config.linux = {
    ...config.linux,
    namespaces: namespaceList('user', 'pid', 'mount', 'network', 'uts'),
    uidMappings: fullMap,
    gidMappings: fullMap,
  };
}

describe('compileMounts', () => {
  it('makes a new filesystem with attributes and options of its own', () => {
    expect(tmpfs('nosuid', 'strictatime', 'mode=755', 'size=64k', 'sync')).to.deep.equal([
      {
        op: 'mountFilesystem',
        origin: '/mounts/0',
        destination: '/t',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['sync', 'mode=755', 'size=64k'],
        attributes: attr.nosuid | attr.strictatime,
        recursiveSet: 0,
        recursiveClear: 0,
        propagation: [],
        flags: 0,
      },
    ]);
  });

  it('makes read-only what the next mount hides before that, and the rest in the end', () => {
    const plan = planOf((config) => {
      config.mounts = [
        { destination: '/a', type: 'tmpfs', options: ['ro'] },
        { destination: '/a/b', type: 'tmpfs', options: ['ro'] },
        { destination: '/c', type: 'tmpfs', options: ['ro'] },
        { destination: '/a/b', type: 'tmpfs' },
        { destination: '/d', type: 'tmpfs' },
      ];
    });
    const order = plan.ops.flatMap((op) =>
      op.op === 'remount' || op.op === 'mountFilesystem' ? [`${op.op} ${op.destination}`] : [],
    );
    expect(order).to.deep.equal([
      'mountFilesystem /a',
      'mountFilesystem /a/b',
      'mountFilesystem /c',
      'remount /a/b',
      'mountFilesystem /a/b',
      'mountFilesystem /d',
      'remount /a',
      'remount /c',
    ]);
  });

  it('names an unnamed source after the type, and says nothing of rw', () => {
    for (const source of ['', undefined]) {
      const mount = { destination: '/t', type: 'ramfs', ...(source === undefined ? {} : { source }) };
      expect(mountOps(mount)[0]).to.deep.include({ source: 'ramfs', options: [] });
    }
    expect(mountOps({ destination: '/t', type: 'ramfs', source: 's', options: ['rw'] })[0]).to.deep.include({
      source: 's',
      options: [],
    });
  });

  it('is recursive by the option, whatever the type says', () => {
    const flags = (type: string, options: string[]): unknown =>
      opsOf({ ops: mountOps({ destination: '/b', type, source: '/s', options }) }, 'mountBind')[0]?.flags;
    expect(flags('rbind', ['bind'])).to.equal(0);
    expect(flags('bind', ['bind'])).to.equal(0);
    expect(flags('bind', ['rbind'])).to.equal(mountFlags.recursive);
  });

  it('mounts what the command adds after all others', () => {
    const extra = { destination: '/run/x', type: 'bind', source: '/srv', options: ['bind', 'ro'] };
    const { ops } = planOf(undefined, undefined, planOptions({ extraMounts: [extra] }));
    const [own, added] = ops.filter(({ op }) => op === 'mountBind').slice(-2);
    expect(own).to.include({ origin: '/mounts/5', destination: '/data' });
    expect(added).to.include({ origin: '', destination: '/run/x', attributesSet: attr.readonly });
  });

  it('bind mounts, changing only what the options say', () => {
    expect(bind('rbind', 'rprivate', 'ro', 'suid', 'noatime')).to.deep.equal([
      {
        op: 'mountBind',
        origin: '/mounts/0',
        destination: '/b',
        source: '/srv',
        slot: noSlot,
        attributesSet: attr.readonly | attr.noatime,
        attributesClear: attr.nosuid | attr.atimeField,
        recursiveSet: 0,
        recursiveClear: 0,
        propagation: [mountPropagation.private | mountPropagation.recursive],
        flags: mountFlags.recursive,
        attributesUnnamed: attr.nodev | attr.noexec | attr.nosymfollow | attr.nodiratime,
        inside: '',
        userSlot: noSlot,
      },
    ]);
  });

  it('clear what the options of a bind mount do not name, if they name anything', () => {
    const flags = attr.readonly | attr.nosuid | attr.nodev | attr.noexec | attr.nosymfollow;
    const cases: [string[], number][] = [
      [[], 0],
      [['rbind', 'rprivate', 'rro', 'idmap=uids=0-0-1;gids=0-0-1'], 0],
      [['ro'], flags & ~attr.readonly],
      [['rw'], flags & ~attr.readonly],
      [['nosuid', 'exec'], flags & ~attr.nosuid & ~attr.noexec],
      [['noatime'], flags | attr.nodiratime],
      [['nodiratime'], flags | attr.atimeField],
      [['diratime'], flags],
    ];
    for (const [options, unnamed] of cases) {
      expect(bind('bind', ...options).at(-1), options.join()).to.include({ attributesUnnamed: unnamed });
    }
  });

  describe('every option of the table', () => {
    for (const [option, known] of mountOptions) {
      it(option, () => {
        switch (known.kind) {
          case 'attribute': {
            const [op] = bind('bind', option);
            const [set, clear] = known.recursive
              ? (['recursiveSet', 'recursiveClear'] as const)
              : (['attributesSet', 'attributesClear'] as const);
            expect(op).to.include({ [set]: known.set, [clear]: known.clear });
            break;
          }
          case 'superblock': {
            const [op] = mountOps({ destination: '/x', type: 'ext4', source: '/dev/sda', options: [option] });
            expect(op).to.deep.include({ options: [known.option] });
            expect(bind('bind', option)[0]).not.to.have.property('options');
            break;
          }
          case 'propagation':
            expect(bind('bind', option)[0]).to.deep.include({ propagation: [known.flags] });
            expect(tmpfs(option)[0]).to.deep.include({ propagation: [known.flags] });
            break;
          case 'bind':
            expect(mountOps({ destination: '/b', source: '/srv', options: [option] })[0]).to.include({
              op: 'mountBind',
              flags: known.recursive ? mountFlags.recursive : 0,
            });
            break;
          case 'remount':
            expect(tmpfs(option)[0]).to.include({ op: 'remount' });
            break;
          case 'tmpcopyup':
            expect(tmpfs(option)[0]).to.include({ flags: mountFlags.copyUp });
            break;
          case 'idmap': {
            const mount = { destination: '/b', source: '/srv', options: ['rbind', option] };
            const ops = mountOps(mount, rootFacts(), withUserNamespace);
            expect(ops.find(({ op }) => op === 'idmapTree')).to.include({
              recursive: known.recursive ? 1 : 0,
            });
            break;
          }
          case 'behaviour':
            expect(bind('bind', option)[0]).to.include({
              flags:
                // What is copied when it is a link must be looked at as one.
                mountFlags[known.name] | (known.name === 'copySymlink' ? mountFlags.sourceNoFollow : 0),
            });
            break;
          case 'none':
            expect(bind('bind', option)).to.deep.equal(bind('bind'));
            expect(tmpfs(option)).to.deep.equal(tmpfs());
            break;
        }
      });
    }
  });

  it('says ro to the filesystem and to the mount, as mount(2) does', () => {
    const [op] = mountOps({ destination: '/s', type: 'sysfs', options: ['ro'] });
    expect(op).to.deep.include({ options: ['ro'], attributes: attr.readonly, source: 'sysfs' });
    const [plain] = mountOps({ destination: '/s', type: 'sysfs', options: ['rw'] });
    expect(plain).to.deep.include({ options: [], attributes: 0 });
  });

  it('leaves recursive attributes apart', () => {
    const [op] = bind('rbind', 'rro', 'rnosuid', 'rexec', 'nodev');
    expect(op).to.include({
      attributesSet: attr.nodev,
      recursiveSet: attr.readonly | attr.nosuid,
      recursiveClear: attr.noexec,
    });
  });

  it('knows a bind mount by its option, and the remount of one by its type as well', () => {
    for (const type of ['bind', 'rbind']) {
      const mount = { destination: '/b', type, options: ['remount', 'size=1m'] };
      expect(mountOps(mount)[0]).to.deep.include({ op: 'remount', options: [] });
    }
    expect(mountOps({ destination: '/b', type: 'none', source: '/srv', options: ['bind'] })[0]).to.include({
      op: 'mountBind',
    });
  });

  it('takes relative sources from the bundle', () => {
    expect(mountOps({ destination: '/b', source: 'sub/dir', options: ['bind'] })[0]).to.include({
      source: '/bundle/sub/dir',
    });
  });

  it('tidies destinations, and leaves .. to the kernel', () => {
    const cases = { '/a//b/./c/': '/a/b/c', '/': '/', '/a/../b': '/a/../b', '//': '/', '/.': '/' };
    for (const [destination, tidy] of Object.entries(cases)) {
      expect(mountOps({ destination, type: 'tmpfs' })[0], destination).to.include({ destination: tidy });
    }
  });

  it('takes a relative destination as one below /', () => {
    const plan = planOf((config) => (config.mounts = [{ destination: 'data', type: 'tmpfs' }]));
    expect(opsOf(plan, 'mountFilesystem')[0]).to.include({ destination: '/data' });
  });

  describe('procfs and sysfs', () => {
    it('are mounted only where no link leads', () => {
      for (const type of ['proc', 'sysfs']) {
        expect(mountOps({ destination: '/p', type })[0]).to.include({ flags: mountFlags.noSymlinks });
      }
      expect(tmpfs()[0]).to.include({ flags: 0 });
    });

    it('can be covered where that is harmless', () => {
      const flagsAt = (destination: string): unknown =>
        mountOps({ destination, source: '/x', options: ['bind'] }).map((op) => 'flags' in op && op.flags);
      for (const path of ['/proc/cpuinfo', '/proc/meminfo', '/proc/uptime', '/proc//stat']) {
        expect(flagsAt(path), path).to.deep.equal([mountFlags.allowProc]);
      }
      for (const path of ['/proc', '/x/proc/cpuinfo', '/x/../proc/cpuinfo']) {
        expect(flagsAt(path), path).to.deep.equal([0]);
      }
      for (const path of ['/proc/sys', '/proc/self/attr', '/proc/cpuinfo/../self', '/proc/net/dev']) {
        expect(() => flagsAt(path), path).to.throw('nothing may be mounted inside /proc');
      }
    });
  });

  describe('read-only tmpfs and /dev', () => {
    const late = (mounts: Mount[]): Op[] =>
      planOf((config) => (config.mounts = mounts)).ops.filter(({ op }) => op === 'remount');

    it('become read-only when nothing is made in them any more', () => {
      const plan = planOf((config) => {
        config.mounts = [
          { destination: '/t', type: 'tmpfs', options: ['ro', 'nosuid'] },
          { destination: '/dev', type: 'devtmpfs', options: ['ro'] },
          { destination: '/t/inner', type: 'proc' },
        ];
      });
      for (const op of opsOf(plan, 'mountFilesystem').slice(0, 2)) {
        expect(op.attributes).to.be.oneOf([0, attr.nosuid]);
        expect(op.options).to.deep.equal([]);
      }
      expect(opsOf(plan, 'remount').map((op) => [op.destination, op.attributesSet, op.origin])).to.deep.equal(
        [
          ['/t', attr.readonly, '/mounts/0/options'],
          ['/dev', attr.readonly, '/mounts/1/options'],
        ],
      );
      const order = names(plan);
      expect(order.indexOf('remount')).to.be.above(order.lastIndexOf('symlink'));
    });

    it('do so for rro, too', () => {
      expect(late([{ destination: '/t', type: 'tmpfs', options: ['rro'] }])).to.have.length(1);
      expect(tmpfs('rro')[0]).to.include({ recursiveSet: 0 });
    });

    it('do so at once for what a bind of /dev brings along with rro', () => {
      const mount = { destination: '/dev', type: 'bind', source: '/dev', options: ['rbind', 'rro'] };
      expect(late([mount])).to.deep.equal([]);
      expect(
        opsOf(
          planOf((config) => (config.mounts = [mount])),
          'mountBind',
        )[0],
      ).to.include({
        recursiveSet: attr.readonly,
      });
    });

    it('do so before another mount hides them', () => {
      for (const destination of ['/a/t', '/a', '/']) {
        const plan = planOf((config) => {
          config.mounts = [
            { destination: '/a/t', type: 'tmpfs', options: ['ro'] },
            { destination, source: '/srv', options: ['bind'] },
          ];
        });
        const order = names(plan);
        expect(order.indexOf('remount'), destination).to.be.below(order.indexOf('mountBind'));
      }
      expect(
        late([
          { destination: '/a', type: 'tmpfs', options: ['ro'] },
          { destination: '/ab', type: 'tmpfs' },
        ]),
      ).to.have.length(1);
    });

    it('leave other filesystems alone', () => {
      expect(late([{ destination: '/x', type: 'sysfs', options: ['ro'] }])).to.deep.equal([]);
      expect(late([{ destination: '/x', source: '/y', options: ['bind', 'ro'] }])).to.deep.equal([]);
    });
  });

  it('remounts the filesystem, or with bind only the mount', () => {
    const mount = { destination: '/r', type: 'tmpfs', options: ['remount', 'ro', 'nosuid', 'size=1m'] };
    expect(mountOps(mount)[0]).to.deep.include({
      op: 'remount',
      options: ['ro', 'size=1m'],
      attributesSet: attr.readonly | attr.nosuid,
    });
    expect(mountOps({ ...mount, options: ['remount', 'bind', 'ro'] })[0]).to.deep.include({
      options: [],
      attributesSet: attr.readonly,
    });
  });

  describe('bind sources', () => {
    const mount: Mount = { destination: '/b', type: 'bind', source: '/root/secret', options: ['rbind'] };

    it('are cloned in A when B is in a user namespace of root', () => {
      const [clone, op] = mountOps(mount, rootFacts(), withUserNamespace);
      expect(clone).to.include({ op: 'cloneTree', path: '/root/secret', flags: mountFlags.recursive });
      expect(op).to.include({
        op: 'mountBind',
        slot: clone !== undefined && 'slot' in clone ? clone.slot : -1,
      });
    });

    it('are cloned in B otherwise', () => {
      const rootless = mountOps(mount, userFacts(), withUserNamespace);
      for (const ops of [mountOps(mount), rootless]) {
        expect(ops).to.have.length(1);
        expect(ops[0]).to.include({ op: 'mountBind', slot: noSlot });
      }
    });

    describe('in the rootfs', () => {
      const inside = (source: string, options = ['bind']): Mount => ({ ...mount, source, options });

      it('are looked for there, in the order of the config', () => {
        for (const [source, path] of Object.entries({
          '/bundle/rootfs/m/sub': '/m/sub',
          '/bundle//rootfs/./m/': '/m',
          rootfs: '/',
          'rootfs/m': '/m',
        })) {
          const ops = mountOps(inside(source));
          expect(ops, source).to.have.length(1);
          expect(ops[0], source).to.include({ op: 'mountBind', slot: noSlot, inside: path });
          expect(mountOps(inside(source), userFacts(), withUserNamespace)).to.deep.include(ops[0]);
        }
        for (const source of ['/bundle/rootfs/../data', '/bundle/rootfsx', '/bundle', 'data']) {
          expect(mountOps(inside(source))[0], source).to.include({ inside: '' });
        }
      });

      it('may be there by links of the host', () => {
        const options = planOptions({ rootfs: '/real', sourcesInside: new Map([['/link/x', '/x']]) });
        const plan = planOf(
          (config) => {
            config.mounts = ['/real/a', '/bundle/rootfs/b', '/link/x', '/link/y'].map((source) =>
              inside(source),
            );
          },
          rootFacts(),
          options,
        );
        expect(opsOf(plan, 'mountBind').map((op) => op.inside)).to.deep.equal(['/a', '/b', '/x', '']);
      });

      it('are a matter of the host where its / is the rootfs', () => {
        const plan = planOf(
          (config) => (config.mounts = [inside('/srv')]),
          rootFacts(),
          planOptions({ rootfs: '/' }),
        );
        expect(onlyOp(plan, 'mountBind')).to.include({ inside: '' });
      });

      it('are cloned in A, too, for what B may not', () => {
        const [clone, op] = mountOps(inside('rootfs/m', ['rbind']), rootFacts(), withUserNamespace);
        expect(clone).to.include({
          op: 'cloneInside',
          root: '/bundle/rootfs',
          path: '/m',
          userSlot: noSlot,
          flags: mountFlags.recursive,
        });
        const slot: unknown = Reflect.get(clone ?? {}, 'slot');
        expect(op).to.include({ op: 'mountBind', inside: '/m', slot });
        const idmapped = mountOps(inside('rootfs/m', ['bind', 'ridmap=uids=0-1-1;gids=0-1-1']));
        expect(idmapped.map((one) => one.op)).to.deep.equal([
          'makeUserNamespace',
          'cloneInside',
          'mountBind',
        ]);
        const userSlot: unknown = Reflect.get(idmapped[0] ?? {}, 'slot');
        expect(idmapped[1]).to.include({ userSlot, flags: mountFlags.idmapRecursive });
        expect(idmapped[2]).to.include({ userSlot });
      });
    });

    it('may not be more than a plan has slots for', () => {
      const many = (config: Config): void => {
        withUserNamespace(config);
        config.mounts = Array.from({ length: 5000 }, () => mount);
      };
      expect(() => planOf(many))
        .to.throw('need a descriptor')
        .with.property('code', 'unsupported');
    });
  });

  describe('idmapped mounts', () => {
    const mount: Mount = { destination: '/b', type: 'bind', source: '/srv', options: ['rbind'] };
    const own = { uidMappings: [{ containerID: 0, hostID: 5, size: 2 }], gidMappings: fullMap };

    it('use the mappings of the mount', () => {
      const ops = mountOps({ ...mount, ...own });
      expect(ops.map(({ op }) => op)).to.deep.equal([
        'makeUserNamespace',
        'cloneTree',
        'idmapTree',
        'mountBind',
      ]);
      expect(ops[0]).to.include({ uidMap: '0 5 2\n', gidMap: '0 100000 65536\n' });
      expect(ops[2]).to.include({ recursive: 0 });
    });

    it('share a user namespace when the mappings are the same', () => {
      const plan = planOf((config) => {
        config.mounts = [
          { ...mount, ...own },
          { ...mount, ...own, destination: '/c' },
          { ...mount, uidMappings: fullMap, gidMappings: fullMap },
        ];
      });
      expect(opsOf(plan, 'makeUserNamespace')).to.have.length(2);
      const [first, second, third] = opsOf(plan, 'idmapTree').map(({ userSlot }) => userSlot);
      expect(first).to.equal(second);
      expect(third).not.to.equal(first);
    });

    it('use the mappings of the container without their own', () => {
      const idmapped = { ...mount, options: ['bind', 'idmap'] };
      expect(mountOps(idmapped, rootFacts(), withUserNamespace)[0]).to.include({
        op: 'makeUserNamespace',
        uidMap: '0 100000 65536\n',
      });
      const joined = planOf((config) => {
        config.mounts = [idmapped];
        config.linux = {
          namespaces: [{ type: 'user', path: '/ns/user' }, { type: 'mount' }, { type: 'uts' }],
        };
      });
      expect(opsOf(joined, 'idmapTree')[0]?.userSlot).to.equal(opsOf(joined, 'openNamespace')[0]?.slot);
    });

    it('read the option of crun', () => {
      const option = 'ridmap=uids=0-1-10#10-11-5;gids=@1-2-3';
      const ops = mountOps({ ...mount, options: ['rbind', option] }, rootFacts(), withUserNamespace);
      expect(ops[0]).to.include({ uidMap: '0 1 10\n10 11 5\n', gidMap: '1 100002 3\n' });
      expect(ops[2]).to.include({ recursive: 1 });
    });
  });

  it('refuses what cannot be meant', () => {
    const cases: [Mount, string, string][] = [
      [{ destination: '', type: 'tmpfs' }, '/mounts/0/destination', 'must not be empty'],
      [{ destination: '/x' }, '/mounts/0/type', 'needs the type of its filesystem'],
      [{ destination: '/x', options: ['bind'] }, '/mounts/0/source', 'needs a source'],
      [{ destination: '/x', type: 'bind', source: '/y' }, '/mounts/0', 'needs the option "bind"'],
      [
        { destination: '/x', source: '/y', options: ['bind', 'size=1m', 'readonly'] },
        '/mounts/0/options/2',
        'is no option of a bind mount',
      ],
      [{ destination: '/x', type: 'tmpfs', options: ['idmap'] }, '/mounts/0/options', 'only bind mounts'],
      [
        { destination: '/x', type: 'tmpfs', uidMappings: fullMap },
        '/mounts/0/uidMappings',
        'only bind mounts',
      ],
      [
        { destination: '/x', source: '/y', options: ['bind'], uidMappings: fullMap },
        '/mounts/0/gidMappings',
        'must be given along with uidMappings',
      ],
      [
        { destination: '/x', source: '/y', options: ['bind', 'idmap'] },
        '/mounts/0/options',
        'needs uidMappings and gidMappings',
      ],
      [
        { destination: '/x', source: '/y', options: ['bind', 'idmap=uids=0-1'] },
        '/mounts/0/options',
        '"0-1" is not',
      ],
      [
        { destination: '/x', source: '/y', options: ['bind', 'idmap=uids=@0-1-2;gids=0-0-1'] },
        '/mounts/0/options',
        'maps no range with ids 1 to 2',
      ],
      [
        { destination: '/x', source: '/y', options: ['bind', 'idmap=uids=0-1-2'] },
        '/mounts/0/options',
        'both uids= and gids=',
      ],
      [{ destination: '/x', source: '/y', options: ['bind', 'idmap=what'] }, '/mounts/0/options', 'neither'],
    ];
    for (const [mount, pointer, message] of cases) {
      expect(() => mountOps(mount), message)
        .to.throw(message)
        .with.property('pointer', pointer);
    }
  });

  it('warns that tmpcopyup is for tmpfs', () => {
    const change = (config: Config): void => {
      config.mounts = [{ destination: '/x', type: 'ramfs', options: ['tmpcopyup'] }];
    };
    expect(warningsOf(change)).to.have.length(1);
    expect(opsOf(planOf(change), 'mountFilesystem')[0]).to.include({ flags: 0 });
  });
});
