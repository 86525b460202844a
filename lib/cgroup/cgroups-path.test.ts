import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { parseCgroups } from '../host/proc.ts';
import type { CgroupLayout } from '../host/cgroup-layout.ts';
import { type CgroupRequest, resolveCgroup } from './cgroups-path.ts';
import { failure } from './testing/cgroups.ts';

const hybrid: CgroupLayout = {
  mode: 'hybrid',
  v1: [
    { mountpoint: '/sys/fs/cgroup/freezer', controllers: ['freezer'] },
    { mountpoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
    { mountpoint: '/sys/fs/cgroup/memory', controllers: ['memory'] },
    { mountpoint: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
    { mountpoint: '/sys/fs/cgroup/other', controllers: ['name=other'] },
  ],
  v2: { mountpoint: '/sys/fs/cgroup/unified', controllers: [] },
};

const unified: CgroupLayout = {
  mode: 'v2',
  v1: [],
  v2: { mountpoint: '/sys/fs/cgroup', controllers: ['cpu', 'memory'] },
};

const own = parseCgroups(
  '4:memory:/user/me\n3:cpu,cpuacct:/\n2:freezer:/a\n1:name=systemd:/user.slice\n0::/x/y:z\n',
);

function request(overrides: Partial<CgroupRequest> = {}): CgroupRequest {
  return { containerId: 'c1', driver: 'cgroupfs', rootless: false, ownCgroups: own, ...overrides };
}

function refused(cgroupsPath: string): TsrunError {
  return failure(() => resolveCgroup(hybrid, request({ cgroupsPath })));
}

const nothing: CgroupLayout = { mode: 'none', v1: [] };
const named: CgroupLayout = {
  mode: 'v1',
  v1: [{ mountpoint: '/sys/fs/cgroup/other', controllers: ['name=other'] }],
};

describe('the place of a container among the cgroups', () => {
  it('starts an absolute path at the root of every hierarchy, the freezer after the others', () => {
    const record = resolveCgroup(hybrid, request({ cgroupsPath: '/pods/p1/c1' }));
    expect(record).to.deep.equal({
      driver: 'cgroupfs',
      version: 1,
      paths: {
        cpu: '/sys/fs/cgroup/cpu,cpuacct/pods/p1/c1',
        memory: '/sys/fs/cgroup/memory/pods/p1/c1',
        'name=systemd': '/sys/fs/cgroup/systemd/pods/p1/c1',
        freezer: '/sys/fs/cgroup/freezer/pods/p1/c1',
        '': '/sys/fs/cgroup/unified/pods/p1/c1',
      },
      shared: { cpuacct: 'cpu' },
    });
    expect(Object.keys(record.paths)).to.deep.equal(['cpu', 'memory', 'name=systemd', 'freezer', '']);
  });

  it('starts a relative path at its own cgroup in each hierarchy', () => {
    expect(resolveCgroup(hybrid, request({ cgroupsPath: 'group/c1' })).paths).to.deep.equal({
      cpu: '/sys/fs/cgroup/cpu,cpuacct/group/c1',
      memory: '/sys/fs/cgroup/memory/user/me/group/c1',
      'name=systemd': '/sys/fs/cgroup/systemd/user.slice/group/c1',
      freezer: '/sys/fs/cgroup/freezer/a/group/c1',
      '': '/sys/fs/cgroup/unified/x/y:z/group/c1',
    });
  });

  it('uses the container id, relatively, without a path', () => {
    expect(resolveCgroup(hybrid, request()).paths['memory']).to.equal('/sys/fs/cgroup/memory/user/me/c1');
    expect(resolveCgroup(hybrid, request({ cgroupsPath: '' })).paths['cpu']).to.equal(
      '/sys/fs/cgroup/cpu,cpuacct/c1',
    );
  });

  for (const [given, expected] of [
    ['/a/../../../etc', '/sys/fs/cgroup/memory/etc'],
    ['../../../../etc', '/sys/fs/cgroup/memory/user/me/etc'],
    ['a/./b//c/..', '/sys/fs/cgroup/memory/user/me/a/b'],
    ['/a:b', '/sys/fs/cgroup/memory/a:b'],
  ] as const) {
    it(`keeps ${given} inside the hierarchy`, () => {
      expect(resolveCgroup(hybrid, request({ cgroupsPath: given })).paths['memory']).to.equal(expected);
    });
  }

  for (const given of ['/', '.', '..', '/..', 'a/..', '/a/../']) {
    it(`refuses ${given}: the processes there are not the container's`, () => {
      const error = refused(given);
      expect(error.code).to.equal('config');
      expect(error.pointer).to.equal('/linux/cgroupsPath');
    });
  }

  it('refuses what cannot be a path', () => {
    expect(refused('/a\0b').pointer).to.equal('/linux/cgroupsPath');
    expect(refused('/a\nb').pointer).to.equal('/linux/cgroupsPath');
  });

  it('goes from the part of the hierarchy that a container sees', () => {
    const layout: CgroupLayout = {
      mode: 'v1',
      v1: [{ mountpoint: '/sys/fs/cgroup/memory', root: '/docker/abc', controllers: ['memory'] }],
    };
    const from = (path: string): string | undefined =>
      resolveCgroup(layout, request({ cgroupsPath: 'c1', ownCgroups: parseCgroups(`1:memory:${path}\n`) }))
        .paths['memory'];
    expect(from('/docker/abc')).to.equal('/sys/fs/cgroup/memory/c1');
    expect(from('/docker/abc/inner')).to.equal('/sys/fs/cgroup/memory/inner/c1');
    expect(from('/docker/abcd')).to.equal('/sys/fs/cgroup/memory/c1');
    expect(from('/../other')).to.equal('/sys/fs/cgroup/memory/c1');
  });

  it('goes from the parent of its own cgroup on v2', () => {
    expect(resolveCgroup(unified, request()).paths).to.deep.equal({ '': '/sys/fs/cgroup/x/c1' });
    const absolute = resolveCgroup(unified, request({ cgroupsPath: '/p/c1' }));
    expect(absolute).to.deep.equal({
      driver: 'cgroupfs',
      version: 2,
      paths: { '': '/sys/fs/cgroup/p/c1' },
      shared: {},
      mountpoint: '/sys/fs/cgroup',
    });
  });

  it('uses what is delegated to an unprivileged tsrun, and nothing when nothing is', () => {
    const delegated = (directory: string): boolean => directory === '/sys/fs/cgroup/systemd/user.slice';
    const some = resolveCgroup(hybrid, request({ rootless: true }), delegated);
    expect(some).to.deep.equal({
      driver: 'cgroupfs',
      version: 1,
      paths: { 'name=systemd': '/sys/fs/cgroup/systemd/user.slice/c1' },
      shared: {},
      unprivileged: true,
    });
    const none = resolveCgroup(hybrid, request({ rootless: true }), () => false);
    expect(none.driver).to.equal('disabled');
    expect(none.paths).to.deep.equal({});
  });

  it('does not drop a path that was asked for, writable or not', () => {
    const record = resolveCgroup(hybrid, request({ rootless: true, cgroupsPath: '/a' }), () => false);
    expect(Object.keys(record.paths)).to.have.length(5);
  });

  it('has no cgroups when none are wanted', () => {
    for (const layout of [hybrid, unified, nothing, named]) {
      const record = resolveCgroup(layout, request({ driver: 'disabled', cgroupsPath: '/a' }));
      expect(record).to.include({ driver: 'disabled' });
      expect(record.paths).to.deep.equal({});
    }
  });

  for (const [title, layout] of [
    ['none is mounted', nothing],
    ['only a hierarchy of somebody else is', named],
  ] as const) {
    it(`refuses when ${title}: device rules, and the way to all processes, would be lost`, () => {
      const error = failure(() => resolveCgroup(layout, request()));
      expect(error).to.include({ code: 'unsupported', pointer: '/linux/cgroupsPath' });
      expect(error.hint).to.contain('--cgroup-manager disabled');
    });

    it(`refuses a path that a user asks for when ${title}, and does without one`, () => {
      failure(() => resolveCgroup(layout, request({ rootless: true, cgroupsPath: 'a' })));
      expect(resolveCgroup(layout, request({ rootless: true })).driver).to.equal('disabled');
    });
  }

  it('is plain JSON', () => {
    const record = resolveCgroup(hybrid, request());
    expect(JSON.parse(JSON.stringify(record))).to.deep.equal(record);
  });

  it('has no driver for systemd', () => {
    expect(() => resolveCgroup(hybrid, request({ driver: 'systemd' })))
      .to.throw(TsrunError, 'the systemd cgroup driver is not available')
      .that.includes({ code: 'unsupported', hint: 'Use --cgroup-manager cgroupfs.' });
  });

  it('asks the kernel whether a cgroup is delegated', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsrun-cgroup-'));
    try {
      mkdirSync(join(folder, 'x'));
      const layout: CgroupLayout = { mode: 'v2', v1: [], v2: { mountpoint: folder, controllers: [] } };
      const rootless = request({ rootless: true });
      expect(resolveCgroup(layout, rootless).paths).to.deep.equal({ '': join(folder, 'x/c1') });
      rmSync(join(folder, 'x'), { recursive: true });
      expect(resolveCgroup(layout, rootless)).to.deep.equal({
        driver: 'disabled',
        version: 2,
        paths: {},
        shared: {},
        unprivileged: true,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('joins every hierarchy with controllers, the freezer after the others', () => {
    const { paths } = resolveCgroup(hybrid, request({ cgroupsPath: '/c1' }));
    expect(Object.entries(paths)).to.deep.equal([
      ['cpu', '/sys/fs/cgroup/cpu,cpuacct/c1'],
      ['memory', '/sys/fs/cgroup/memory/c1'],
      ['name=systemd', '/sys/fs/cgroup/systemd/c1'],
      ['freezer', '/sys/fs/cgroup/freezer/c1'],
      ['', '/sys/fs/cgroup/unified/c1'],
    ]);
    const v1: CgroupLayout = {
      mode: 'v1',
      v1: [
        { mountpoint: '/m/both', controllers: ['name=x', 'cpu'] },
        { mountpoint: '/m/empty', controllers: [] },
        { mountpoint: '/m/none', controllers: [''] },
      ],
    };
    expect(resolveCgroup(v1, request({ cgroupsPath: '/c1' }))).to.deep.include({
      paths: { 'name=x': '/m/both/c1' },
      shared: { cpu: 'name=x' },
    });
    // No hierarchy of v1 counts where v2 has the controllers.
    const mixed: CgroupLayout = { ...unified, v1: hybrid.v1 };
    expect(Object.keys(resolveCgroup(mixed, request()).paths)).to.deep.equal(['']);
  });

  it('begins at the mount where its own cgroup is not to be seen', () => {
    const at = (path: string): string | undefined =>
      resolveCgroup(unified, request({ ownCgroups: parseCgroups(`0::${path}\n`) })).paths[''];
    expect(at('/..')).to.equal('/sys/fs/cgroup/c1');
    expect(at('/../a/b')).to.equal('/sys/fs/cgroup/c1');
    expect(at('/../a')).to.equal('/sys/fs/cgroup/c1');
    expect(at('/..a/b')).to.equal('/sys/fs/cgroup/..a/c1');
    expect(resolveCgroup(unified, request({ ownCgroups: [] })).paths['']).to.equal('/sys/fs/cgroup/c1');
  });
});
