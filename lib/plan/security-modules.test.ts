import { expect } from 'chai';
import { TsrunError } from '../core/error.ts';
import type { Config, Mount } from '../config/types.ts';
import { mountOps, names, opsOf, planOf, planOptions, rootFacts } from './testing/fixtures.ts';
import type { Op } from './wire.ts';

const withApparmor = rootFacts({ apparmor: true });
const withSelinux = rootFacts({ filesystems: new Set([...rootFacts().filesystems, 'selinuxfs']) });
const label = 'system_u:object_r:container_file_t:s0:c1,c2';

function processSpec(change: Partial<Config['process']>): (config: Config) => unknown {
  return (config) => (config.process = { ...config.process, cwd: '/', ...change });
}

function labelled(config: Config): void {
  config.linux = { ...config.linux, mountLabel: label };
}

function refusal(change: (config: Config) => unknown): TsrunError {
  try {
    planOf(change);
  } catch (error) {
    if (error instanceof TsrunError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('AppArmor and SELinux in a plan', () => {
  it('set the profile', () => {
    const plan = planOf(processSpec({ apparmorProfile: 'box' }), withApparmor);
    expect(opsOf(plan, 'apparmorProfile')).to.deep.equal([
      { op: 'apparmorProfile', origin: '/process/apparmorProfile', profile: 'box' },
    ]);
  });

  it('refuse a profile without AppArmor, unless it confines nothing', () => {
    const error = refusal(processSpec({ apparmorProfile: 'box' }));
    expect(error).to.include({
      code: 'unsupported',
      pointer: '/process/apparmorProfile',
      hint: 'boot with apparmor=1 security=apparmor, or remove process.apparmorProfile from the config',
    });
    for (const apparmorProfile of ['', 'unconfined']) {
      expect(names(planOf(processSpec({ apparmorProfile })))).not.to.include('apparmorProfile');
    }
  });

  it('label the process and its keyring', () => {
    const plan = planOf(processSpec({ selinuxLabel: 'u:r:t:s0' }), withSelinux);
    const origin = '/process/selinuxLabel';
    expect(opsOf(plan, 'selinuxLabel')).to.deep.equal([
      { op: 'selinuxLabel', origin, attribute: 'keycreate', label: 'u:r:t:s0' },
      { op: 'selinuxLabel', origin, attribute: 'exec', label: 'u:r:t:s0' },
    ]);
    const order = names(plan);
    expect(order[order.indexOf('keyring') - 1]).to.equal('selinuxLabel');
    const without = planOf(
      processSpec({ selinuxLabel: 'u:r:t:s0' }),
      withSelinux,
      planOptions({ noNewKeyring: true }),
    );
    expect(opsOf(without, 'selinuxLabel').map(({ attribute }) => attribute)).to.deep.equal(['exec']);
  });

  it('refuse a label of the process without SELinux', () => {
    for (const noNewKeyring of [true, false]) {
      expect(() =>
        planOf(processSpec({ selinuxLabel: 'x' }), rootFacts(), planOptions({ noNewKeyring })),
      ).to.throw(TsrunError, 'SELinux is not enabled');
    }
    expect(refusal(processSpec({ selinuxLabel: 'x' }))).to.include({
      code: 'unsupported',
      pointer: '/process/selinuxLabel',
      hint: 'remove process.selinuxLabel from the config, or enable SELinux',
    });
    expect(names(planOf(processSpec({ selinuxLabel: '' })))).not.to.include('selinuxLabel');
  });

  it('ignore a label of mounts without SELinux', () => {
    expect(planOf(labelled)).to.deep.equal(planOf());
  });

  const options = (mount: Mount): string[] =>
    mountOps(mount, withSelinux, labelled).flatMap((op: Op) =>
      op.op === 'mountFilesystem' ? [...op.options] : [],
    );

  it('label new filesystems, but not those the kernel labels', () => {
    expect(options({ destination: '/t', type: 'tmpfs', options: ['size=1'] })).to.deep.equal([
      'size=1',
      `context=${label}`,
    ]);
    expect(options({ destination: '/dev/pts', type: 'devpts' })).to.deep.equal([`context=${label}`]);
    expect(options({ destination: '/proc', type: 'proc' })).to.deep.equal([]);
    expect(options({ destination: '/sys', type: 'sysfs' })).to.deep.equal([]);
    expect(options({ destination: '/b', source: '/s', options: ['bind'] })).to.deep.equal([]);
    for (const op of mountOps({ destination: '/sys/fs/cgroup', type: 'cgroup' }, withSelinux, labelled)) {
      if (op.op === 'mountFilesystem') expect(op.options.join()).not.to.include('context=');
    }
  });

  it('leave a filesystem the context it has', () => {
    for (const option of ['context=a', 'fscontext=a', 'defcontext=a', 'rootcontext=a']) {
      expect(options({ destination: '/t', type: 'tmpfs', options: [option] })).to.deep.equal([option]);
    }
  });

  it('give a context to a filesystem that has an option with a name alike', () => {
    expect(
      options({ destination: '/t', type: 'tmpfs', options: ['xcontext=a', 'x=context=a'] }),
    ).to.deep.equal(['xcontext=a', 'x=context=a', `context=${label}`]);
  });

  it('label what the init makes by itself, and no file of other filesystems', () => {
    expect(opsOf(planOf(labelled, withSelinux), 'mountLabel')).to.deep.equal([
      { op: 'mountLabel', origin: '/linux/mountLabel', label },
    ]);
    for (const mountLabel of ['', undefined]) {
      const plan = planOf(
        (config) => (config.linux = { ...config.linux, ...(mountLabel === undefined ? {} : { mountLabel }) }),
        withSelinux,
      );
      expect(plan).to.deep.equal(planOf());
    }
    expect(names(planOf(labelled, withSelinux))).not.to.include('fileLabel');
    const mqueue = mountOps({ destination: '/dev/mqueue', type: 'mqueue' }, withSelinux);
    expect(mqueue.map(({ op }) => op)).to.deep.equal(['mountFilesystem']);
  });

  it('label mqueue as a file', () => {
    const [mount, file] = mountOps({ destination: '/dev/mqueue', type: 'mqueue' }, withSelinux, labelled);
    expect(mount).to.deep.include({ op: 'mountFilesystem', options: [] });
    expect(file).to.deep.equal({ op: 'fileLabel', origin: '/mounts/0', path: '/dev/mqueue', label });
  });
});
