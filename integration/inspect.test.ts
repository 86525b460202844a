import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ownCapabilities } from '../lib/host/privileges.ts';
import { capabilityMask } from '../lib/config/capabilities.ts';
import { background, printed } from './harness/run.ts';
import { type Obstacle, scenario } from './harness/scenario.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';

interface Verdict {
  valid: boolean;
  findings: {
    severity: 'error' | 'warning';
    line: number;
    column: number;
    pointer: string;
    message: string;
    advice?: string;
  }[];
}

/** What `validate` says of the scene's bundle, and its exit status. */
async function validate(scene: Scene, ...flags: string[]): Promise<{ status: number; verdict: Verdict }> {
  const { status, stdout } = await scene.tsrun(['validate', '--format', 'json', ...flags, scene.bundle]);
  return { status, verdict: JSON.parse(stdout) as Verdict };
}

/** Severity and pointer of each finding. */
function outline({ findings }: Verdict): string[] {
  return findings.map(({ severity, pointer }) => `${severity} ${pointer}`);
}

function mayRaiseLimits(): boolean {
  return (ownCapabilities().bounding & capabilityMask(['CAP_SYS_RESOURCE'])) !== 0n;
}

describe('validate', () => {
  /** What this host refuses although the specification allows it: `validate` must know what `run` says. */
  const refused: [title: string, pointer: string, edit: Edit][] = [
    [
      'a bind source that is not there',
      '/mounts/0/source',
      (config) => {
        config.mounts.unshift({ destination: '/data', type: 'bind', source: '/nowhere', options: ['bind'] });
      },
    ],
    [
      'more open files than the kernel has',
      '/process/rlimits/0/hard',
      (config) => (config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 ** 40 }]),
    ],
    [
      'an AppArmor profile without AppArmor',
      '/process/apparmorProfile',
      (config) => (config.process.apparmorProfile = 'tsrun-nobody-has-this'),
    ],
    [
      'a hook that is not there',
      '/hooks/createRuntime/0/path',
      (config) => (config.hooks = { createRuntime: [{ path: '/nowhere/hook' }] }),
    ],
    [
      'a hook that is a folder',
      '/hooks/prestart/0/path',
      (config) => (config.hooks = { prestart: [{ path: '/etc' }] }),
    ],
    [
      'a namespace to join that is not there',
      '/linux/namespaces/1/path',
      (config) => (config.linux.namespaces[1] = { type: 'network', path: '/nowhere/net' }),
    ],
    [
      'processors nobody has',
      '/linux/resources/cpu/cpus',
      (config) => (config.linux.resources.cpu = { cpus: '4000' }),
    ],
    [
      'a controller nobody has',
      '/linux/resources/rdma/tsrun0',
      (config) => (config.linux.resources.rdma = { tsrun0: { hcaHandles: 1 } }),
    ],
    ['a rootfs that is not there', '/root/path', (config) => (config.root.path = 'nowhere')],
  ];
  for (const [title, pointer, edit] of refused) {
    scenario(`foresees that run refuses ${title}`, async (scene) => {
      scene.configure(edit);
      const { status, verdict } = await validate(scene);
      expect(outline(verdict)).to.include(`error ${pointer}`);
      expect({ status, valid: verdict.valid }).to.deep.equal({ status: 1, valid: false });
      const { stderr } = failed(await scene.run());
      // Some refusals are of the whole entry.
      expect(stderr).to.contain(pointer.replace(/\/(?:path|hard|tsrun0|source)$/, ''));
    });
  }

  /** What is ignored: the container runs all the same. */
  const ignored: [title: string, pointer: string, edit: Edit, obstacle?: Obstacle][] = [
    [
      'a poststop hook that is not there',
      '/hooks/poststop/0/path',
      (config) => (config.hooks = { poststop: [{ path: '/nowhere/hook' }] }),
    ],
    [
      'a mount label without SELinux',
      '/linux/mountLabel',
      (config) => (config.linux.mountLabel = 'system_u:object_r:container_file_t:s0'),
      () => (existsSync('/sys/fs/selinux') ? 'SELinux is on' : undefined),
    ],
    [
      'a capability tsrun has not',
      '/process/capabilities/bounding',
      (config) => config.process.capabilities.bounding?.push('CAP_SYS_RESOURCE'),
      () => (mayRaiseLimits() ? 'it has CAP_SYS_RESOURCE; shown where root lacks it' : undefined),
    ],
    ['an unknown property', '/hostnme', (config) => Object.assign(config, { hostnme: 'x' })],
  ];
  for (const [title, pointer, edit, obstacle] of ignored) {
    const body = async (scene: Scene): Promise<void> => {
      scene.configure(edit);
      const { status, verdict } = await validate(scene);
      expect(outline(verdict)).to.include(`warning ${pointer}`);
      expect({ status, valid: verdict.valid }).to.deep.equal({ status: 0, valid: true });
      expect((await validate(scene, '--strict')).status).to.equal(1);
      succeeded(await scene.run());
    };
    scenario(`warns of ${title}, and run runs`, body, obstacle);
  }

  scenario('validate finds nothing in what spec writes', async (scene) => {
    mkdirSync(join(scene.folder, 'made', 'rootfs'), { recursive: true });
    const bundle = join(scene.folder, 'made');
    succeeded(await scene.tsrun(['spec', '--bundle', bundle]));
    const { stdout } = succeeded(await scene.tsrun(['validate', '--strict', '--bundle', bundle]));
    expect(stdout).to.equal('valid: nothing found that would keep this host from running it\n');
  });

  scenario('validate reports everything at once, in the order of the file', async (scene) => {
    scene.configure((config) => {
      Object.assign(config, { hostnme: 'x' });
      Object.assign(config.root, { path: 'nowhere' });
      config.process.args = ['true'];
      config.process.apparmorProfile = 'tsrun-nobody-has-this';
      config.mounts.push({ destination: '/data', type: 'bind', source: '/nowhere', options: ['bind'] });
      config.linux.resources.cpu = { cpus: '4000' };
      config.linux.resources.pids = { limit: 10 };
      config.hooks = { createRuntime: [{ path: '/nowhere/hook' }], poststop: [{ path: '/nowhere/hook' }] };
    });
    const { verdict } = await validate(scene);
    const places = verdict.findings.map(({ line }) => line);
    expect(places).to.deep.equal([...places].sort((a, b) => a - b));
    expect(outline(verdict)).to.have.members([
      'error /root/path',
      'error /process/apparmorProfile',
      'error /mounts/6/source',
      'error /linux/resources/cpu/cpus',
      'error /hooks/createRuntime/0/path',
      'warning /hooks/poststop/0/path',
      'warning /hostnme',
    ]);
    const { status, stdout } = await scene.tsrun(['validate', scene.bundle]);
    expect(status).to.equal(1);
    expect(stdout)
      .to.match(/^error: config\.json:\d+:\d+: \/root\/path "nowhere": .*\(ENOENT\)$/m)
      .and.match(/^ {2}hint: .+$/m)
      .and.match(/\n5 errors, 2 warnings\n$/);
  });

  scenario('validate reports all errors of the schema, with advice', async (scene) => {
    const config = scene.configure();
    const processSpec = { ...config.process, args: 'sh', terminal: 'true', cwd: 'relative' };
    scene.writeConfig({ ...config, process: processSpec, linux: { ...config.linux, cgroupsPath: 7 } });
    const { status, verdict } = await validate(scene);
    expect(status).to.equal(1);
    expect(outline(verdict)).to.include.members([
      'error /process/args',
      'error /process/terminal',
      'error /linux/cgroupsPath',
    ]);
    expect(verdict.findings.find(({ pointer }) => pointer === '/process/terminal')?.advice).to.equal(
      'Write true without quotes.',
    );
  });

  scenario('validate gives the line and column of what is not JSON', async (scene) => {
    scene.writeConfig('{\n  "ociVersion": tru\n}');
    const { status, verdict } = await validate(scene);
    expect(status).to.equal(1);
    const [finding] = verdict.findings;
    expect(verdict.findings).to.have.length(1);
    expect(finding).to.include({ severity: 'error', line: 2, column: 17, pointer: '' });
    expect(finding?.message).to.match(/^not valid JSON: /);
  });

  scenario('validate does not repeat a file of any size', async (scene) => {
    const long = 'a b '.repeat(50_000);
    const word = 'x'.repeat(200_000);
    const texts = [
      word,
      `{"ociVersion": "${long}`,
      `{"ociVersion": ${word}}`,
      `{"ociVersion": "1.0.0", "${long}": 1, "${long}": 2}`,
      JSON.stringify({ ...scene.configure(), [word]: 1, [`${long}"`]: 1, ociVersion: long }),
      JSON.stringify({
        ...scene.configure(),
        hostname: long,
        mounts: [{ destination: `/${long}`, type: word }],
      }),
    ];
    for (const text of texts) {
      scene.writeConfig(text);
      for (const flags of [['--format', 'json'], []]) {
        const { status, stdout } = await scene.tsrun(['validate', ...flags, scene.bundle]);
        expect(status).to.equal(1);
        expect(stdout.length, text.slice(0, 40)).to.be.below(4000);
      }
    }
  });

  scenario('validate fails without a config', async (scene) => {
    const { status, stderr, stdout } = await scene.tsrun(['validate', '--format', 'json', scene.bundle]);
    expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
    expect(stderr).to.match(/config\.json: no such file or directory \(ENOENT\)/);
  });

  scenario('validate creates nothing', async (scene) => {
    scene.configure((config) => (config.linux.resources.pids = { limit: 10 }));
    succeeded(await scene.tsrun(['validate', scene.bundle]));
    succeeded(await scene.tsrun(['plan', scene.bundle]));
    expect(existsSync(scene.root)).to.equal(false);
  });
});

interface Step {
  process: string;
  op: string;
  description: string;
  origin?: string;
  line?: number;
  arguments: Record<string, unknown>;
}

async function planOf(scene: Scene): Promise<Step[]> {
  const { stdout } = succeeded(await scene.tsrun(['plan', '--format', 'json', scene.bundle]));
  return JSON.parse(stdout) as Step[];
}

describe('plan', () => {
  scenario('plan has an operation with its origin for what the config asks', async (scene) => {
    const config = scene.configure((change) => {
      change.hostname = 'planned';
      change.linux.sysctl = { 'net.ipv4.ip_forward': '1' };
    });
    const lines = JSON.stringify(config, null, 2).split('\n');
    const steps = await planOf(scene);
    const hostname = steps.find(({ origin }) => origin === '/hostname');
    expect(hostname?.line).to.equal(lines.findIndex((line) => line.includes('"planned"')) + 1);
    expect(hostname?.description).to.contain('planned');
    expect(hostname?.process).to.equal('B');
    expect(steps.map(({ origin }) => origin)).to.include.members([
      '/linux/namespaces',
      '/linux/sysctl/net.ipv4.ip_forward',
      '/process/args',
    ]);
    expect(steps.filter(({ op }) => op === 'clone')).to.have.length(1);
    expect(steps.at(-1)?.op).to.match(/^exec/);
  });

  scenario('plan has the process of each operation also when a pid namespace is joined', async (scene) => {
    const holder = scene.keep(background('unshare', ['--pid', '--fork', 'sh', '-c', 'echo ready; read _']));
    await printed(holder, 'ready');
    scene.configure(({ linux }) => {
      const pid = linux.namespaces.find(({ type }) => type === 'pid');
      if (pid !== undefined) pid.path = `/proc/${String(holder.child.pid)}/ns/pid_for_children`;
    });
    const steps = await planOf(scene);
    const last = steps.findIndex(({ op }) => op === 'cloneVisible');
    expect(steps.slice(0, last + 1).map(({ process }) => process)).to.satisfy((all: string[]) =>
      all.every((letter) => letter === 'A'),
    );
    expect(steps[last + 1]?.process).to.equal('B');
  });

  scenario('plan prints a line for each operation', async (scene) => {
    scene.configure();
    const steps = await planOf(scene);
    const { stdout } = succeeded(await scene.tsrun(['plan', '--bundle', scene.bundle]));
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).to.match(/^#\s+PROCESS\s+LINE\s+ORIGIN\s+OPERATION$/);
    expect(rows).to.have.length(steps.length);
    for (const [i, row] of rows.entries()) expect(row).to.contain(steps[i]?.description ?? '?');
  });

  scenario('plan fails as create would, and warns as it would', async (scene) => {
    scene.configure((config) => Object.assign(config, { hostnme: 'x' }));
    const { stderr } = succeeded(await scene.tsrun(['plan', scene.bundle]));
    expect(stderr).to.match(/^warning: config\.json:\d+:\d+: \/hostnme .*did you mean "hostname"/);
    scene.configure((config) => (config.process.cwd = 'relative'));
    const planned = failed(await scene.tsrun(['plan', scene.bundle])).stderr;
    const created = failed(await scene.tsrun(['create', '--bundle', scene.bundle, scene.id()])).stderr;
    const reason = /config\.json:.*/.exec(planned)?.[0];
    expect(reason).to.match(/\/process\/cwd/);
    expect(created).to.contain(reason);
  });
});
