import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveCgroup } from './cgroups-path.ts';
import { preflightCgroups } from './preflight.ts';
import type { CgroupRecord } from './record.ts';
import type { Resources } from '../config/types.ts';
import { layout, TestCgroups } from './testing/cgroups.ts';

const modern = { major: 6, minor: 1 };

function said(record: CgroupRecord, resources?: Resources, kernel = modern): string[] {
  return preflightCgroups(record, resources, kernel).map(({ severity, pointer }) => `${severity} ${pointer}`);
}

describe('preflightCgroups on this host', () => {
  let cgroups: TestCgroups;
  beforeEach(() => {
    cgroups = new TestCgroups();
  });
  afterEach(async () => {
    await cgroups.cleanUp();
  });

  it('has nothing to say of what manager and kernel take', () => {
    const resources = { memory: { limit: 64 << 20 }, cpu: { cpus: '0', shares: 512 }, pids: { limit: 9 } };
    expect(said(cgroups.record('/new/cgroup'), resources)).to.deep.equal([]);
    const manager = cgroups.manager('/new/cgroup');
    manager.create();
    expect(manager.apply(resources)).to.deep.equal([]);
  });

  it('refuses what they refuse: processors nobody has, controllers that are not there', () => {
    const resources = { cpu: { cpus: '4000' }, rdma: { nothing0: { hcaHandles: 1 } }, pids: { limit: 9 } };
    const found = said(cgroups.record(), resources);
    expect(found).to.include('error /linux/resources/cpu/cpus');
    const manager = cgroups.manager();
    manager.create();
    expect(() => manager.apply({ cpu: resources.cpu })).to.throw('4000');
    const { rdma } = resources;
    const isRefused = found.includes('error /linux/resources/rdma/nothing0');
    if (isRefused) expect(() => manager.apply({ rdma })).to.throw('rdma');
  });

  it('refuses a cgroup with processes', () => {
    const manager = cgroups.manager();
    manager.create();
    manager.apply(undefined);
    manager.join(cgroups.shell('sleep 60').pid);
    expect(said(cgroups.record())).to.deep.equal(['error /linux/cgroupsPath']);
  });

  it('refuses one with cgroups below it, and a frozen one, as the manager does', () => {
    const below = cgroups.manager('/below');
    below.create();
    expect(said(cgroups.record())).to.deep.equal(['error /linux/cgroupsPath']);
    expect(() => {
      cgroups.manager().create();
    }).to.throw('has cgroups in it');
    expect(said(cgroups.record('/below'))).to.deep.equal([]);
    below.freeze();
    expect(said(cgroups.record('/below'))).to.deep.equal(['error /linux/cgroupsPath']);
    expect(() => {
      cgroups.manager('/below').create();
    }).to.throw('frozen');
  });

  it('warns of device rules for a container without a cgroup', () => {
    const record = resolveCgroup(layout, {
      cgroupsPath: undefined,
      containerId: 'none',
      driver: 'disabled',
      rootless: false,
      ownCgroups: [],
    });
    expect(said(record, { devices: [{ allow: false }] })).to.deep.equal(['warning /linux/resources/devices']);
    expect(said(record)).to.deep.equal([]);
  });
});

describe('preflightCgroups on another layout', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-preflight-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** A folder with these files in the place of a cgroup. */
  function tree(name: string, files: Record<string, string>): string {
    const directory = join(folder, name);
    mkdirSync(directory);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
    return directory;
  }

  it('warns of what cgroup v2 has no counterpart of, and knows which controllers there are', () => {
    const top = tree('v2', { 'cgroup.controllers': 'cpu pids\n', 'cgroup.procs': '' });
    const record: CgroupRecord = {
      driver: 'cgroupfs',
      version: 2,
      paths: { '': `${top}/box` },
      shared: {},
      mountpoint: top,
    };
    const resources = { network: { classID: 1 }, memory: { limit: 1 << 20 }, pids: { limit: 3 } };
    expect(said(record, resources)).to.deep.equal([
      'warning /linux/resources/network/classID',
      'error /linux/resources/memory/limit',
    ]);
    expect(said(record, { unified: { 'pids.max': '3', 'io.max': '8:0 rbps=1' } })).to.deep.equal([
      'error /linux/resources/unified/io.max',
    ]);
  });

  it('knows since when limits of kernel memory mean nothing', () => {
    const memory = tree('memory', {
      'cgroup.procs': '',
      'memory.kmem.limit_in_bytes': '0',
    });
    const paths = { memory: `${memory}/box` };
    const record: CgroupRecord = { driver: 'cgroupfs', version: 1, paths, shared: {} };
    const resources = { memory: { kernel: 1 << 20 } };
    expect(said(record, resources)).to.deep.equal(['warning /linux/resources/memory/kernel']);
    expect(said(record, resources, { major: 5, minor: 10 })).to.deep.equal([]);
  });
});
