import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { release } from 'node:os';
import { TsrunError } from '../core/error.ts';
import { parseCgroupLayout, readCgroupLayout } from './cgroup-layout.ts';
import { hasSysAdmin, parseFilesystems, parseKernelVersion, readHostFacts } from './facts.ts';
import { runShell } from '../native/testing/run.ts';
import { needRoot, skip } from '../testing/skip.ts';

describe('facts about the host', () => {
  it('are those of this host', () => {
    const facts = readHostFacts();
    expect(release().startsWith(`${String(facts.kernel.major)}.${String(facts.kernel.minor)}.`)).to.equal(
      true,
    );
    expect(facts.uid).to.equal(process.geteuid?.());
    expect(facts.filesystems.has('proc')).to.equal(true);
    expect(facts.filesystems.has('tmpfs')).to.equal(true);
    expect(facts.cgroup).to.deep.equal(readCgroupLayout());
    expect(facts.filesystems).to.equal(facts.filesystems);
  });

  it('do not take root of another user namespace for root', () => {
    const script =
      "import('./lib/host/facts.ts').then(({ readHostFacts }) => console.log(readHostFacts().uid, readHostFacts().privileged))";
    const node = [process.execPath, '--import', 'tsx', '-e', script];
    const env = [`PATH=${process.env['PATH'] ?? ''}`];
    const inside = runShell('', {
      executable: '/usr/bin/unshare',
      args: ['unshare', '-U', '--map-root-user', ...node],
      env,
    });
    expect(inside.stdout).to.equal('0 false\n');
    if (readHostFacts().privileged) {
      const dropped = runShell('', {
        executable: '/usr/bin/setpriv',
        args: ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', ...node],
        env,
      });
      expect(dropped.stdout).to.equal('0 false\n');
    }
  }).timeout(20_000);

  it('know kernels by their version', () => {
    expect(parseKernelVersion('6.1.0-18-amd64')).to.deep.equal({ major: 6, minor: 1 });
    expect(parseKernelVersion('5.10')).to.deep.equal({ major: 5, minor: 10 });
    expect(() => parseKernelVersion('next')).to.throw(TsrunError, /next/);
  });

  it('know filesystems and capabilities', () => {
    expect([...parseFilesystems('nodev\tsysfs\n\text4\nnodev\tcgroup2\n')]).to.deep.equal([
      'sysfs',
      'ext4',
      'cgroup2',
    ]);
    expect(hasSysAdmin('CapPrm:\t0000000000200000\nCapEff:\t0000000000200000\n')).to.equal(true);
    expect(hasSysAdmin('CapPrm:\t0000000000200000\nCapEff:\tffffffffffdfffff\n')).to.equal(false);
    expect(hasSysAdmin('')).to.equal(false);
  });
});

describe('cgroup layout', () => {
  const line = (id: number, parent: number, mountpoint: string, type: string, options: string): string =>
    `${String(id)} ${String(parent)} 0:${String(id)} / ${mountpoint} rw,relatime shared:9 - ${type} ${type} ${options}\n`;
  const base = line(20, 1, '/', 'ext4', 'rw') + line(21, 20, '/sys', 'sysfs', 'rw');
  const hybrid =
    base +
    line(30, 21, '/sys/fs/cgroup', 'tmpfs', 'rw,mode=755') +
    line(31, 30, '/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct') +
    line(32, 30, '/sys/fs/cgroup/systemd', 'cgroup', 'rw,xattr,name=systemd') +
    line(33, 30, '/sys/fs/cgroup/unified', 'cgroup2', 'rw,nsdelegate');
  const v1 = [
    { mountpoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
    { mountpoint: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
  ];
  const v2 = { mountpoint: '/sys/fs/cgroup/unified', controllers: [] };

  it('is hybrid, v1, v2 or none', () => {
    expect(parseCgroupLayout(hybrid)).to.deep.equal({ mode: 'hybrid', v1, v2 });
    expect(parseCgroupLayout(hybrid.replace(/^33 .*\n/m, ''))).to.deep.equal({ mode: 'v1', v1 });
    expect(parseCgroupLayout(base + line(30, 21, '/sys/fs/cgroup', 'cgroup2', 'rw'))).to.deep.equal({
      mode: 'v2',
      v1: [],
      v2: { mountpoint: '/sys/fs/cgroup', controllers: [] },
    });
    expect(parseCgroupLayout(base)).to.deep.equal({ mode: 'none', v1: [] });
    expect(parseCgroupLayout('')).to.deep.equal({ mode: 'none', v1: [] });
  });

  it('prefers the usual place to mounts of containers, whatever the order', () => {
    const container = line(25, 20, '/var/lib/c/rootfs/sys/fs/cgroup/cpu', 'cgroup', 'rw,cpu,cpuacct');
    expect(parseCgroupLayout(hybrid.replace(base, base + container)).v1).to.deep.equal(v1);
    expect(parseCgroupLayout(hybrid + container).v1).to.deep.equal(v1);
  });

  it('leaves out mounts that another one hides', () => {
    expect(parseCgroupLayout(hybrid + line(40, 30, '/sys/fs/cgroup', 'cgroup2', 'rw'))).to.deep.equal({
      mode: 'v2',
      v1: [],
      v2: { mountpoint: '/sys/fs/cgroup', controllers: [] },
    });
    expect(parseCgroupLayout(hybrid + line(40, 21, '/sys/fs', 'tmpfs', 'rw')).mode).to.equal('none');
    expect(
      parseCgroupLayout(hybrid + line(40, 31, '/sys/fs/cgroup/cpu,cpuacct', 'tmpfs', 'rw')).v1,
    ).to.deep.equal(v1.slice(1));
  });

  it('does not depend on the order of the lines: a root moved in place comes late', () => {
    const moved = hybrid.split('\n').reverse().join('\n').trimStart();
    expect(parseCgroupLayout(moved)).to.deep.equal({ mode: 'hybrid', v1: [...v1].reverse(), v2 });
  });

  it('reads the mounts below a root directory whose own mount is not in the list', () => {
    expect(parseCgroupLayout(hybrid.replace(base, ''))).to.deep.equal({ mode: 'hybrid', v1, v2 });
  });

  it('knows which part of a hierarchy a container sees', () => {
    const part = hybrid.replaceAll(/ \/ (\/sys\/fs\/cgroup\/)/g, ' /docker/c1 $1');
    expect(parseCgroupLayout(part)).to.deep.equal({
      mode: 'hybrid',
      v1: v1.map((hierarchy) => ({ ...hierarchy, root: '/docker/c1' })),
      v2: { ...v2, root: '/docker/c1' },
    });
  });

  it('shows the part of cgroup v2 that is mounted at the usual place', function () {
    const { v2: host } = readCgroupLayout();
    needRoot(this);
    if (host === undefined) skip(this, 'no cgroup v2 is mounted');
    const name = `tsrun-test-${String(process.pid)}`;
    const directory = `${host.mountpoint}/${name}`;
    const read =
      "import('./lib/host/cgroup-layout.ts').then(({ readCgroupLayout }) => console.log(JSON.stringify(readCgroupLayout())))";
    mkdirSync(directory);
    try {
      const { stdout, stderr } = spawnSync(
        'unshare',
        [
          ...['--mount', '--propagation', 'private', 'sh', '-ec'],
          `mount --bind ${directory} /sys/fs/cgroup; exec "$0" --import tsx -e "$1"`,
          ...[process.execPath, read],
        ],
        { encoding: 'utf8' },
      );
      expect(stderr).to.equal('');
      expect(JSON.parse(stdout)).to.deep.include({ mode: 'v2', v1: [] });
      expect(stdout).to.contain(`"v2":{"mountpoint":"/sys/fs/cgroup","root":"/${name}"`);
    } finally {
      rmdirSync(directory);
    }
  }).timeout(20_000);

  it('knows no controllers among the mount options', () => {
    const text =
      base + line(31, 21, '/sys/fs/cgroup', 'cgroup', 'rw,noprefix,clone_children,release_agent=/x,cpuset');
    expect(parseCgroupLayout(text).v1).to.deep.equal([
      { mountpoint: '/sys/fs/cgroup', controllers: ['cpuset'] },
    ]);
  });
});
