import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readHostFacts } from '../lib/host/facts.ts';
import { setCapabilities, type TestConfig } from './harness/config.ts';
import { descendants, processInfo, reapOrphans } from './harness/processes.ts';
import { type Background, printed, type RunOptions } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';
import { sharedProgram } from './harness/shared-program.ts';
import { until } from './harness/until.ts';

const tracer = ['CAP_SYS_PTRACE', 'CAP_KILL', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH'];

/** How the container is restricted, which its next process must be from its first moment. */
const restrictions: [name: string, edit: Edit][] = [
  ['without a filter', () => undefined],
  [
    'with a filter and no_new_privs',
    (config) => {
      filtered(config, true);
    },
  ],
  [
    'with a filter and set-user-ID programs',
    (config) => {
      filtered(config, false);
    },
  ],
];

function filtered(config: TestConfig, noNewPrivileges: boolean): void {
  config.process.noNewPrivileges = noNewPrivileges;
  config.linux.seccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['swapon', 'clone3'], action: 'SCMP_ACT_ERRNO' }],
  };
}

/**
 * Starts a container in which an attacker looks at each process as soon as it exists, and returns what he says when
 * he is stopped.
 */
async function attacker(
  scene: Scene,
  id: string,
  how: string,
  edit: Edit,
): Promise<{ findings: () => string[]; caught: () => number }> {
  copyFileSync(sharedProgram('peek'), join(scene.rootfs, 'peek'));
  const marker = scene.path('secret');
  writeFileSync(marker, 'of the host', { mode: 0o600 });
  scene.configure((config) => {
    config.process.args = ['/peek', marker, how];
    setCapabilities(config, tracer);
    edit(config);
  });
  scene.owns(id);
  const container = scene.background(['run', '--bundle', scene.bundle, id], slow);
  await printed(container, 'ready');
  const lines = (): string[] => container.stdout().trimEnd().split('\n').slice(1);
  return {
    findings: () => lines().filter((line) => !line.startsWith('caught')),
    caught: () => lines().filter((line) => line.startsWith('caught')).length,
  };
}

/** Runs `step` again and again, until the attacker has caught enough or had its chances, or a busy machine no time. */
async function repeat(times: number, enough: () => boolean, step: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + 40_000;
  for (let i = 0; i < times && !enough() && performance.now() < end; i++) await step();
}

const wanted = { stop: 60, look: 25 } as const;
const chances = 200;
const slow: RunOptions = { timeout: 60_000 };

describe('what a container with CAP_SYS_PTRACE sees of tsrun in its pid namespace', () => {
  for (const how of ['stop', 'look'] as const) {
    for (const [name, edit] of restrictions) {
      scenario(`exec shows nothing of the host, ${name} (${how})`, async (scene) => {
        const id = scene.id();
        const { findings, caught } = await attacker(scene, id, how, edit);
        await repeat(
          chances,
          () => caught() >= wanted[how] || findings().length > 0,
          async () => succeeded(await scene.tsrun(['exec', id, 'true'], slow)),
        );
        expect(findings()).to.deep.equal([]);
        expect(caught()).to.be.greaterThan(0);
      });
    }

    scenario(`exec with a terminal shows nothing of the host (${how})`, async (scene) => {
      const id = scene.id();
      const { findings, caught } = await attacker(scene, id, how, () => undefined);
      await repeat(
        chances,
        () => caught() >= wanted[how] || findings().length > 0,
        async () => succeeded(await scene.tsrun(['exec', '--tty', id, 'true'], slow)),
      );
      expect(findings()).to.deep.equal([]);
      expect(caught()).to.be.greaterThan(0);
    });

    for (const user of [false, true]) {
      const beside = user ? ' and a user namespace of others' : '';
      scenario(
        `create into a pid namespace joined by path${beside} shows nothing of the host (${how})`,
        async (scene) => {
          const id = scene.id();
          const { findings, caught } = await attacker(scene, id, how, () => undefined);
          const { pid = 0 } = await scene.state(id);
          const neighbour = scene.path('neighbour');
          mkdirSync(neighbour);
          const config = neighbourConfig(scene, pid);
          if (user) joinUserNamespace(config, await userNamespaceHolder(scene));
          writeFileSync(join(neighbour, 'config.json'), JSON.stringify(config));
          const surprises = (): string[] => findings().filter((line) => !isProcfsHelper(line));
          await repeat(
            chances / 2,
            () => caught() >= wanted[how] || surprises().length > 0,
            async () => succeeded(await scene.tsrun(['run', '--bundle', neighbour, `${id}-next`], slow)),
          );
          expect(surprises()).to.deep.equal([]);
          expect(caught()).to.be.greaterThan(0);
        },
      );
    }
  }
});

describe('a container that speaks to tsrun in the name of the init', () => {
  scenario(
    'a container that speaks for the init cannot make tsrun take a process of the host for its own',
    async (scene) => {
      const victim = spawn('sleep', ['1000'], { stdio: 'ignore' });
      try {
        const id = scene.id();
        const { findings } = await attacker(scene, id, String(victim.pid), () => undefined);
        const { pid = 0 } = await scene.state(id);
        const neighbour = scene.path('neighbour');
        mkdirSync(neighbour);
        writeFileSync(join(neighbour, 'config.json'), JSON.stringify(neighbourConfig(scene, pid)));
        let refused = false;
        for (let i = 0; i < chances && !refused; i++) {
          const { stderr } = await scene.tsrun(['run', '--bundle', neighbour, `${id}-next`], slow);
          refused = /no init of this tsrun|out of turn/.test(stderr);
        }
        expect(refused, findings().join()).to.equal(true);
        await scene.tsrun(['exec', id, 'true'], slow);
        expect(victim.exitCode).to.equal(null);
        expect(victim.signalCode).to.equal(null);
      } finally {
        victim.kill('SIGKILL');
        await once(victim, 'exit');
      }
    },
  );
});

describe('exec', () => {
  const calls = [
    'prctl',
    'prlimit64',
    'setsid',
    'pipe2',
    'clone',
    'clone3',
    'close_range',
    'sendmsg',
    'recvmsg',
  ];

  scenario('exec works under a filter that denies what only the init needs', async (scene) => {
    for (const call of [...calls, 'write', 'read', 'accept4', 'dup3', 'munmap']) {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 64 }];
        config.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: [call], action: 'SCMP_ACT_ERRNO' }],
        };
      });
      await scene.create(id);
      await scene.start(id);
      const { status, stderr } = await scene.tsrun(['exec', id, 'true']);
      expect([call, status, stderr]).to.deep.equal([call, 0, '']);
    }
  });

  scenario('exec is refused where its process would be traced before it has its filter', async (scene) => {
    const started = async (capabilities: readonly string[]): Promise<string> => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        setCapabilities(config, capabilities);
        const names = ['clone', 'clone3', 'fork', 'vfork'];
        const deny = { names, action: 'SCMP_ACT_ERRNO' } as const;
        config.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [deny] };
      });
      await scene.create(id);
      await scene.start(id);
      return id;
    };
    succeeded(await scene.tsrun(['exec', await started(['CAP_KILL']), 'true']));
    const { status, stderr } = await scene.tsrun(['exec', await started(tracer), 'true']);
    expect(status).to.equal(255);
    expect(stderr).to.include('may have CAP_SYS_PTRACE').and.to.include('hint:');
  });

  scenario('exec finds a program by a name that means the process itself', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    await scene.create(id);
    await scene.start(id);
    const { status, stderr } = await scene.tsrun(['exec', id, '/proc/self/fd/99']);
    expect(status).to.equal(255);
    expect(stderr).to.match(/\/proc\/self\/fd\/99.*no such file or directory/);
    const program = join(scene.rootfs, 'bin/busybox');
    const kept = { fds: [openSync(program, 'r')] };
    const ran = await scene.tsrun(['exec', '--preserve-fds', '1', id, '/proc/self/fd/3'], kept);
    // busybox has run, and goes by the name it is called by.
    expect(ran.stderr).to.equal('3: applet not found\n');
  });
});

describe('a container that keeps the channels of the init', () => {
  scenario(
    'a container that keeps the channels of the init cannot make tsrun wait for ever',
    async (scene) => {
      const id = scene.id();
      const { caught } = await attacker(scene, id, 'keep', () => undefined);
      const { pid = 0 } = await scene.state(id);
      const neighbour = scene.path('neighbour');
      mkdirSync(neighbour);
      writeFileSync(join(neighbour, 'config.json'), JSON.stringify(neighbourConfig(scene, pid)));
      for (let i = 0; i < 10; i++) {
        succeeded(await scene.tsrun(['exec', id, 'true'], slow));
        succeeded(await scene.tsrun(['run', '--bundle', neighbour, `${id}-next`], slow));
      }
      expect(caught()).to.be.greaterThan(0);
    },
  );
});

describe('a container that keeps the init stopped', () => {
  const processesOf = async (scene: Scene, id: string): Promise<unknown> =>
    JSON.parse(succeeded(await scene.tsrun(['ps', '--format', 'json', id])).stdout);

  /** A detached program that has ended keeps its pid namespace until it is reaped. */
  const runs = (program: string): boolean => descendants().some(({ name }) => name === program);

  /** Runs a command until the attacker has stopped its init in time, and then sends tsrun a signal. */
  async function interrupted(
    start: (round: number) => Background,
    caught: () => number,
    signal: NodeJS.Signals,
  ): Promise<{ status: number; stderr: string }> {
    for (let round = 0; round < chances; round++) {
      const before = caught();
      const program = start(round);
      const hasEnded = (): boolean => program.child.exitCode !== null;
      await until('an init that is stopped, or its end', () => hasEnded() || caught() > before);
      if (hasEnded()) {
        await until('the end of a detached program', () => (reapOrphans(), !runs('true')));
        continue;
      }
      program.child.kill(signal);
      const { status } = await program.ended;
      return { status, stderr: program.stderr() };
    }
    throw new Error('the attacker was too slow each time');
  }

  const signals = [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const;

  for (const [signal, expected] of signals) {
    for (const flags of [[], ['--detach']]) {
      scenario(['exec', ...flags, 'ends by a', signal].join(' '), async (scene) => {
        const id = scene.id();
        const { caught } = await attacker(scene, id, 'freeze', () => undefined);
        const before = await processesOf(scene, id);
        const start = (): Background => scene.background(['exec', ...flags, id, 'true'], slow);
        const { status, stderr } = await interrupted(start, caught, signal);
        expect([status, stderr]).to.deep.equal([
          expected,
          `tsrun exec failed: interrupted by ${signal} before the program could run\n`,
        ]);
        expect(await processesOf(scene, id)).to.deep.equal(before);
      });

      scenario(['run', ...flags, 'ends by a', signal, 'and leaves nothing'].join(' '), async (scene) => {
        const id = scene.id();
        const { caught } = await attacker(scene, id, 'freeze', () => undefined);
        const { pid = 0 } = await scene.state(id);
        const neighbour = scene.path('neighbour');
        mkdirSync(neighbour);
        writeFileSync(join(neighbour, 'config.json'), JSON.stringify(neighbourConfig(scene, pid)));
        let next = '';
        const start = (round: number): Background => {
          next = `${id}-next${round}`;
          scene.owns(next);
          return scene.background(['run', ...flags, '--bundle', neighbour, next], slow);
        };
        const { status } = await interrupted(start, caught, signal);
        expect(status).to.equal(expected);
        expect(failed(await scene.tsrun(['state', next])).stderr).to.contain('does not exist');
      });
    }
  }

  scenario('start ends by a SIGTERM, and the container has stopped', async (scene) => {
    const id = scene.id();
    scene.configure();
    const pid = await scene.create(id);
    process.kill(pid, 'SIGSTOP');
    const program = scene.background(['start', id], slow);
    await until('a stopped init', () => processInfo(pid)?.state === 'T');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    program.child.kill('SIGTERM');
    expect((await program.ended).status).to.equal(143);
    expect((await scene.state(id)).status).to.equal('stopped');
  });
});

describe('a created container that is entered before its start', () => {
  scenario(
    'a created container that is entered holds nothing of the host, and does not lead to tsrun',
    async (scene) => {
      copyFileSync(sharedProgram('peek'), join(scene.rootfs, 'peek'));
      const marker = scene.path('secret');
      writeFileSync(marker, 'of the host', { mode: 0o600 });
      const said: string[] = [];
      for (let i = 0; i < 10; i++) {
        const id = scene.id();
        scene.configure((config) => {
          config.process.args = ['sleep', '1000'];
          setCapabilities(config, tracer);
        });
        const pid = await scene.create(id);
        const peek = scene.background(['exec', id, '/peek', marker, 'look'], slow);
        await printed(peek, 'caught 1');
        await scene.start(id);
        await until('execve', () => processInfo(pid)?.name === 'sleep');
        said.push(...peek.stdout().trimEnd().split('\n').slice(1));
        await scene.kill(id, 'KILL');
        await peek.ended;
      }
      expect([...new Set(said.filter((line) => !line.startsWith('caught')))].join('\n')).to.equal('');
    },
  );
});

/**
 * Before Linux 6.17 the context of a procfs for a namespace comes from a process in it, which has CAP_SYS_ADMIN for
 * that one call; its bounding set is of no use, since it may gain no privileges.
 */
function isProcfsHelper(finding: string): boolean {
  const { major, minor } = readHostFacts().kernel;
  const isOld = major < 6 || (major === 6 && minor < 17);
  return isOld && / has capabilities 200000, [0-9a-f]+ in its bounding set$/.test(finding);
}

describe('restore into a pid namespace joined by path', () => {
  scenario(
    'restore into a joined pid namespace is refused where somebody may have CAP_SYS_PTRACE',
    async (scene) => {
      const tracing = await neighbours(scene, ['CAP_SYS_PTRACE']);
      const { stderr: refused } = failed(await scene.tsrun(['restore', ...tracing.where, scene.id()]));
      expect(refused).to.include('/linux/namespaces/0/path').and.to.include('CAP_SYS_PTRACE');
      const harmless = await neighbours(scene, ['CAP_KILL']);
      const other = await scene.tsrun(['restore', ...harmless.where, scene.id()]);
      expect(other.status).to.equal(1);
      expect(other.stderr).not.to.include('CAP_SYS_PTRACE');
    },
  );
});

/** A container with these capabilities, and how to restore one that joins its pid namespace, of no images at all. */
async function neighbours(scene: Scene, capabilities: readonly string[]): Promise<{ where: string[] }> {
  const id = scene.id();
  scene.configure((config) => {
    setCapabilities(config, capabilities);
  });
  const pid = await scene.create(id);
  const bundle = scene.path(`${id}-bundle`);
  const images = scene.path(`${id}-images`);
  mkdirSync(bundle);
  mkdirSync(images);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(neighbourConfig(scene, pid)));
  return { where: ['--detach', '--bundle', bundle, '--image-path', images] };
}

/** The first process of a container with a user namespace of its own. */
async function userNamespaceHolder(scene: Scene): Promise<number> {
  scene.configure((config) => {
    config.process.args = ['sleep', '1000'];
    config.linux.namespaces.push({ type: 'user' });
    config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
  });
  return scene.create(scene.id());
}

/** The pid namespace that is joined belongs to the host, which keeps a procfs of it from the user namespace. */
function joinUserNamespace(config: TestConfig, holder: number): void {
  config.linux.namespaces.push({ type: 'user', path: `/proc/${holder}/ns/user` });
  config.mounts = config.mounts.filter(({ type }) => type !== 'proc');
  config.mounts.push({ destination: '/proc', type: 'bind', source: '/proc', options: ['rbind'] });
}

/** A container in the pid namespace of the process `pid`, with fewer privileges than the attacker's. */
function neighbourConfig(scene: Scene, pid: number): TestConfig {
  return scene.configure((base) => {
    base.root.path = scene.rootfs;
    base.linux.namespaces = base.linux.namespaces.map(({ type }) =>
      type === 'pid' ? { type, path: `/proc/${String(pid)}/ns/pid` } : { type },
    );
    setCapabilities(base, ['CAP_KILL']);
  });
}
