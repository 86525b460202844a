import { expect } from 'chai';
import type { Config, Device, Mount } from '../config/types.ts';
import {
  fullMap,
  names,
  namespaceList,
  onlyOp,
  opsOf,
  planOf,
  rootFacts,
  userFacts,
  warningsOf,
} from './testing/fixtures.ts';
import type { Plan } from './types.ts';
import { noSlot } from './wire.ts';

const defaults = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'];

function withDevices(devices: Device[], facts = rootFacts()): Plan {
  return planOf((config) => (config.linux = { ...config.linux, devices }), facts);
}

function inUserNamespace(devices: Device[], facts = rootFacts()): Plan {
  return planOf((config) => {
    config.linux = {
      namespaces: namespaceList('user', 'mount', 'uts'),
      uidMappings: fullMap,
      gidMappings: fullMap,
      devices,
    };
  }, facts);
}

describe('compileDevices', () => {
  it('makes the default devices and links', () => {
    const plan = planOf();
    expect(opsOf(plan, 'device').map(({ path }) => path)).to.deep.equal(defaults);
    expect(opsOf(plan, 'device')[0]).to.deep.equal({
      op: 'device',
      origin: '',
      path: '/dev/null',
      mode: 0o020666,
      major: 1,
      minor: 3,
      uid: 0,
      gid: 0,
    });
    expect(opsOf(plan, 'symlink').map(({ path, target, replace }) => [path, target, replace])).to.deep.equal([
      // The first two are controllers of the cgroup mount.
      ['/sys/fs/cgroup/cpu', 'cpu,cpuacct', 0],
      ['/sys/fs/cgroup/cpuacct', 'cpu,cpuacct', 0],
      ['/dev/fd', '/proc/self/fd', 0],
      ['/dev/stdin', '/proc/self/fd/0', 0],
      ['/dev/stdout', '/proc/self/fd/1', 0],
      ['/dev/stderr', '/proc/self/fd/2', 0],
      ['/dev/ptmx', 'pts/ptmx', 1],
    ]);
  });

  it("makes the config's devices of each type", () => {
    const plan = withDevices([
      { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o600, uid: 1, gid: 2 },
      { type: 'u', path: '/dev//raw', major: 162, minor: 0 },
      { type: 'b', path: '/dev/loop0', major: 7, minor: 0, fileMode: 0o060640 },
      { type: 'p', path: '/dev/pipe' },
    ]);
    const made = opsOf(plan, 'device').filter(({ origin }) => origin !== '');
    expect(made.map(({ path, mode, origin }) => [path, mode, origin])).to.deep.equal([
      ['/dev/fuse', 0o020600, '/linux/devices/0'],
      ['/dev/raw', 0o020666, '/linux/devices/1'],
      ['/dev/loop0', 0o060640, '/linux/devices/2'],
      ['/dev/pipe', 0o010666, '/linux/devices/3'],
    ]);
    expect(made[0]).to.include({ major: 10, minor: 229, uid: 1, gid: 2 });
  });

  it('lets the config replace a default device, but not ptmx', () => {
    const plan = withDevices([
      { type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o600 },
      { type: 'c', path: '/dev/ptmx', major: 5, minor: 2 },
    ]);
    const nulls = opsOf(plan, 'device').filter(({ path }) => path === '/dev/null');
    expect(nulls.map(({ mode }) => mode)).to.deep.equal([0o020600]);
    expect(opsOf(plan, 'device').map(({ path }) => path)).not.to.include('/dev/ptmx');
  });

  it('makes a device that is given twice once', () => {
    const fuse = { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o600 };
    const twice = [fuse, { ...fuse, path: '/dev//fuse/', fileMode: 0o644 }];
    const made = opsOf(withDevices(twice), 'device').filter(({ path }) => path === '/dev/fuse');
    expect(made.map(({ mode, origin }) => [mode, origin])).to.deep.equal([[0o020600, '/linux/devices/0']]);
    expect(opsOf(inUserNamespace(twice), 'deviceBind').filter(({ origin }) => origin !== '')).to.have.length(
      1,
    );
  });

  it('makes nothing in a /dev that is a bind mount', () => {
    for (const destination of ['/dev', '/dev/', '//dev/.']) {
      const mount: Mount = { destination, source: '/dev', options: ['rbind'] };
      const device = { type: 'c', path: '/dev/x', major: 1, minor: 2 };
      const change = (config: Config): void => {
        config.mounts = [mount];
        config.linux = { ...config.linux, devices: [device] };
      };
      const plan = planOf(change);
      expect(names(plan)).not.to.include.members(['device']);
      expect(names(plan)).not.to.include.members(['symlink']);
      expect(warningsOf(change).map(([pointer]) => pointer)).to.deep.equal(['/linux/devices']);
    }
  });

  it("passes the host's nodes on where mknod is not allowed", () => {
    const device = { type: 'c', path: '/dev/fuse', major: 10, minor: 229 };
    for (const plan of [
      inUserNamespace([device]),
      inUserNamespace([device], userFacts()),
      withDevices([device], userFacts({ uid: 0 })),
    ]) {
      expect(names(plan)).not.to.include('device');
      expect(opsOf(plan, 'deviceBind').map(({ path, source }) => [path, source])).to.deep.equal(
        [...defaults, '/dev/fuse'].map((path) => [path, path]),
      );
    }
  });

  it('clones those of the config in A, which may be in a directory closed to B', () => {
    const plan = inUserNamespace([{ type: 'b', path: '/dev/mapper/x', major: 253, minor: 0 }]);
    const clone = opsOf(plan, 'cloneTree').find(({ path }) => path === '/dev/mapper/x');
    expect(clone).to.include({ origin: '/linux/devices/0', flags: 0 });
    expect(opsOf(plan, 'deviceBind').at(-1)?.slot).to.equal(clone?.slot);
    expect(opsOf(plan, 'deviceBind')[0]?.slot).to.equal(noSlot);
  });

  it('makes FIFOs everywhere', () => {
    expect(onlyOp(inUserNamespace([{ type: 'p', path: '/pipe' }], userFacts()), 'device').path).to.equal(
      '/pipe',
    );
  });

  it('refuses other types', () => {
    for (const type of ['x', 'cc', '', 'toString']) {
      expect(() => withDevices([{ type, path: '/dev/x' }]))
        .to.throw('must be one of c, b, u, p')
        .with.property('pointer', '/linux/devices/0/type');
    }
  });
});

describe('compileConsole', () => {
  it('opens a terminal only when asked for', () => {
    expect(names(planOf())).not.to.include('console');
    const plan = planOf((config) => {
      config.process = { cwd: '/', args: ['sh'], terminal: true, consoleSize: { height: 24, width: 80 } };
    });
    expect(onlyOp(plan, 'console')).to.include({ rows: 24, columns: 80, mount: 1 });
  });

  it('does not mount it on the host', () => {
    const plan = planOf((config) => {
      config.process = { cwd: '/', args: ['sh'], terminal: true };
      config.linux = {};
      delete config.hostname;
      delete config.root?.readonly;
    });
    expect(onlyOp(plan, 'console')).to.include({ rows: 0, columns: 0, mount: 0 });
  });
});
