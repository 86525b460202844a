import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Seccomp } from '../lib/config/types.ts';
import { runWithRunc, sameWithRunc } from './harness/compare.ts';
import { statusField } from './harness/processes.ts';
import { background } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';
import { sharedProgram } from './harness/shared-program.ts';
import { until } from './harness/until.ts';

const mkdir = ['mkdir', 'mkdirat'];

function profile(seccomp: Partial<Seccomp>): Edit {
  return (config) => (config.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', ...seccomp });
}

/** A profile that does `action` for mkdir(2). */
function onMkdir(action: string, errnoRet?: number): Edit {
  return profile({ syscalls: [{ names: mkdir, action, ...(errnoRet === undefined ? {} : { errnoRet }) }] });
}

function install(scene: Scene, name: string): void {
  copyFileSync(sharedProgram(name), join(scene.rootfs, 'bin', name));
  chmodSync(join(scene.rootfs, 'bin', name), 0o755);
}

/** For numbers of system calls. */
const onlyX64 = (): string | undefined =>
  process.arch === 'x64' ? undefined : 'the numbers are those of x86_64';

describe('seccomp', () => {
  for (const action of ['ERRNO', 'KILL', 'KILL_THREAD', 'KILL_PROCESS', 'TRAP', 'TRACE', 'LOG', 'ALLOW']) {
    scenario(`SCMP_ACT_${action}`, async (scene) => {
      await sameWithRunc(scene, 'mkdir /tmp/x 2>&1; echo $?; rmdir /tmp/x 2>/dev/null', (config) => {
        onMkdir(`SCMP_ACT_${action}`)(config);
      });
    });
  }

  scenario(
    'errnoRet and defaultErrnoRet are the errors that the process gets',
    async (scene) => {
      const { stdout } = await sameWithRunc(scene, 'mkdir /x 2>&1', onMkdir('SCMP_ACT_ERRNO', 39));
      expect(stdout).to.match(/Directory not empty/);
      install(scene, 'syscalls');
      scene.configure((config) => {
        config.process.args = ['syscalls', '83'];
        profile({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 99, syscalls: [allMost(mkdir)] })(config);
      });
      expect((await scene.run()).stdout).to.equal('83 EADDRNOTAVAIL\n');
      expect((await runWithRunc(scene)).stdout).to.equal('83 EADDRNOTAVAIL\n');
    },
    onlyX64,
  );

  /** Signals that do nothing to a shell. */
  const signals = 'for s in 0 17 18 23 28; do kill -$s $$ 2>/dev/null && echo $s; done; true';
  const operators: [op: string, value: number, valueTwo: number, left: string][] = [
    ['SCMP_CMP_NE', 18, 0, '18'],
    ['SCMP_CMP_LT', 18, 0, '18 23 28'],
    ['SCMP_CMP_LE', 18, 0, '23 28'],
    ['SCMP_CMP_EQ', 18, 0, '0 17 23 28'],
    ['SCMP_CMP_GE', 18, 0, '0 17'],
    ['SCMP_CMP_GT', 18, 0, '0 17 18'],
    ['SCMP_CMP_MASKED_EQ', 1, 1, '0 18 28'],
    // The mask, and what is left under it: neither for the other.
    ['SCMP_CMP_MASKED_EQ', 3, 2, '0 17 23 28'],
    ['SCMP_CMP_MASKED_EQ', 16, 0, '17 18 23 28'],
  ];
  for (const [op, value, valueTwo, left] of operators) {
    scenario(`${op} ${value} ${valueTwo} on an argument`, async (scene) => {
      const args = [{ index: 1, value, valueTwo, op }];
      const { stdout } = await sameWithRunc(
        scene,
        signals,
        profile({ syscalls: [{ names: ['kill'], action: 'SCMP_ACT_ERRNO', args }] }),
      );
      expect(stdout.trim().split('\n').join(' ')).to.equal(left);
    });
  }

  scenario('two conditions on one argument are alternatives, on two arguments they add up', async (scene) => {
    const conditions = (...pairs: [index: number, value: number][]): Edit =>
      profile({
        syscalls: [
          {
            names: ['kill'],
            action: 'SCMP_ACT_ERRNO',
            args: pairs.map(([index, value]) => ({ index, value, op: 'SCMP_CMP_EQ' })),
          },
        ],
      });
    const either = await sameWithRunc(scene, signals, conditions([1, 17], [1, 23]));
    expect(either.stdout).to.equal('0\n18\n28\n');
    const both = await sameWithRunc(scene, signals, conditions([1, 17], [0, 1]));
    // The shell is process 1 of its namespace.
    expect(both.stdout).to.equal('0\n18\n23\n28\n');
    expect((await sameWithRunc(scene, signals, conditions([1, 17], [0, 2]))).stdout).to.match(/^0\n17\n/);
  });

  scenario(
    'a system call newer than the profile answers ENOSYS',
    async (scene) => {
      install(scene, 'syscalls');
      // 83: mkdir, denied and older; 600: nobody has it yet.
      scene.configure((config) => {
        config.process.args = ['syscalls', '83', '600'];
        profile({
          defaultAction: 'SCMP_ACT_ERRNO',
          architectures: ['SCMP_ARCH_X86_64'],
          syscalls: [allMost(mkdir)],
        })(config);
      });
      expect((await scene.run()).stdout).to.equal('83 EPERM\n600 ENOSYS\n');
      expect((await runWithRunc(scene)).stdout).to.equal('83 EPERM\n600 ENOSYS\n');
    },
    onlyX64,
  );

  scenario(
    'a filter holds for each of its architectures',
    async (scene) => {
      install(scene, 'syscalls');
      const script = 'syscalls 83 i386:39; echo $?';
      const both = await sameWithRunc(
        scene,
        script,
        profile({
          architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
          syscalls: [{ names: mkdir, action: 'SCMP_ACT_ERRNO', errnoRet: 39 }],
        }),
      );
      expect(both.stdout).to.equal('83 ENOTEMPTY\ni386:39 ENOTEMPTY\n0\n');
      // The calls of an architecture the profile does not name are deadly.
      const one = await sameWithRunc(scene, script, onMkdir('SCMP_ACT_ERRNO'));
      expect(one.stdout).to.equal(`83 EPERM\n${128 + constants.signals.SIGSYS}\n`);
    },
    onlyX64,
  );

  scenario('a filter is loaded with and without noNewPrivileges, for root and for others', async (scene) => {
    for (const noNewPrivileges of [true, false]) {
      for (const uid of [0, 1000]) {
        const { stdout } = await sameWithRunc(
          scene,
          'mkdir /tmp/x 2>&1; grep ^Seccomp: /proc/self/status',
          (config) => {
            onMkdir('SCMP_ACT_ERRNO')(config);
            config.process.noNewPrivileges = noNewPrivileges;
            config.process.user = { uid, gid: uid };
            config.process.capabilities = {};
          },
        );
        expect(stdout).to.match(/Operation not permitted\nSeccomp:\t2\n$/);
      }
    }
  });

  scenario('a filter is loaded in a user namespace', async (scene) => {
    for (const noNewPrivileges of [true, false]) {
      const output = await scene.shell('mkdir /tmp/x 2>&1; true', (config) => {
        onMkdir('SCMP_ACT_ERRNO')(config);
        config.process.noNewPrivileges = noNewPrivileges;
        config.linux.namespaces.push({ type: 'user' });
        config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
        config.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
        delete config.linux.resources.devices;
      });
      expect(output).to.match(/Operation not permitted/);
    }
  });

  scenario('a container that was created is filtered from its first instruction on', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      onMkdir('SCMP_ACT_ERRNO')(config);
      config.process.args = ['sleep', '1000'];
    });
    const pid = await scene.create(id);
    // It is loaded as late as can be.
    expect(statusField(pid, 'Seccomp')).to.equal('0');
    await scene.start(id);
    await until('the filter', () => statusField(pid, 'Seccomp') === '2');
  });

  scenario('a process of exec is filtered like the first one', async (scene) => {
    for (const noNewPrivileges of [true, false]) {
      const id = scene.id();
      scene.configure((config) => {
        profile({ syscalls: [{ names: mkdir, action: 'SCMP_ACT_ERRNO', errnoRet: 39 }] })(config);
        config.process.noNewPrivileges = noNewPrivileges;
        config.process.args = ['sleep', '1000'];
      });
      await scene.create(id);
      await scene.start(id);
      const { stdout } = await scene.tsrun([
        'exec',
        id,
        'sh',
        '-c',
        'mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status',
      ]);
      expect(stdout).to.match(/Directory not empty\nSeccomp:\t2/);
      await scene.delete(id, '--force');
    }
  });

  scenario('hooks of the container run under its filter', async (scene) => {
    const output = await scene.shell('cat /tmp/hook', (config) => {
      onMkdir('SCMP_ACT_ERRNO')(config);
      config.hooks = {
        startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'mkdir /tmp/made >/tmp/hook 2>&1; true'] }],
      };
    });
    expect(output).to.match(/Operation not permitted/);
  });

  scenario('a profile older than faccessat2 does not hide the program', async (scene) => {
    for (const names of [['faccessat2'], ['faccessat2', 'faccessat', 'access']]) {
      for (const args of [['true'], ['/bin/true']]) {
        for (const user of [0, 1000]) {
          scene.configure((config) => {
            config.process.args = args;
            config.process.user = { uid: user, gid: user };
            config.process.noNewPrivileges = false;
            profile({ syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: 1 }] })(config);
          });
          succeeded(await scene.run());
        }
      }
    }
  });

  scenario('a profile that denies even execve is an error that says so', async (scene) => {
    const denied = profile({ syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO' }] });
    const { stderr } = await scene.failure(denied);
    expect(stderr)
      .to.match(/operation not permitted/i)
      .and.match(/seccomp profile/);
    const id = scene.id();
    scene.configure(denied);
    await scene.create(id);
    expect(failed(await scene.tsrun(['start', id])).stderr).to.match(/operation not permitted/i);
    expect((await scene.state(id)).status).to.equal('stopped');
  });

  scenario('an execve that fails with ENOSYS is no matter of the kernel', async (scene) => {
    const denied = profile({
      syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO', errnoRet: constants.errno.ENOSYS }],
    });
    const { stderr } = await scene.failure(denied);
    expect(stderr)
      .to.match(/seccomp profile .* must allow execve/)
      .and.not.match(/needs Linux/);
  });

  scenario('a strict list that ends the init names what it lacks', async (scene) => {
    const allowed = ['execve', 'exit_group', 'prctl', 'setgroups', 'setresgid', 'umask'];
    const strict = profile({
      defaultAction: 'SCMP_ACT_KILL_PROCESS',
      syscalls: [{ names: allowed, action: 'SCMP_ACT_ALLOW' }],
    });
    const edit: Edit = (config) => {
      strict(config);
      config.process.noNewPrivileges = false;
    };
    const { stderr } = await scene.failure(edit);
    expect(stderr)
      .to.match(/linux\/seccomp/)
      .and.match(/must allow setresuid\(2\), capget\(2\)/)
      .and.match(/noNewPrivileges/)
      .and.not.match(/setgroups/);
  });

  for (const action of ['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_ERRNO'] as const) {
    scenario(`a profile that leaves not even a word is an error that says so: ${action}`, async (scene) => {
      // With an error number for everything the init can neither tell nor exit.
      const denied = profile({ defaultAction: action });
      expect((await scene.failure(denied)).stderr)
        .to.match(/linux\/seccomp/)
        .and.match(/execve/);
      const id = scene.id();
      scene.configure(denied);
      await scene.create(id);
      expect(failed(await scene.tsrun(['start', id])).stderr)
        .to.match(/before its process could run/)
        .and.match(/must allow execve/);
      expect((await scene.state(id)).status).to.equal('stopped');
    });
  }

  scenario('flags of a filter are passed to the kernel', async (scene) => {
    const script = 'mkdir /tmp/x 2>&1; grep ^Speculation_Store_Bypass /proc/self/status';
    const withFlags =
      (flags: string[] | undefined): Edit =>
      (config) => {
        onMkdir('SCMP_ACT_ERRNO')(config);
        if (flags !== undefined && config.linux.seccomp !== undefined) config.linux.seccomp.flags = flags;
      };
    // All that runc 1.1 knows.
    for (const flags of [undefined, []]) await sameWithRunc(scene, script, withFlags(flags));
    const names = ['TSYNC', 'LOG', 'SPEC_ALLOW', 'WAIT_KILLABLE_RECV'];
    const flags = names.map((name) => `SECCOMP_FILTER_FLAG_${name}`);
    expect(await scene.shell(script, withFlags(flags))).to.match(/Operation not permitted/);
  });

  scenario(
    'unknown names in a seccomp profile are refused with their place, before anything is made',
    async (scene) => {
      const wrong: [Partial<Seccomp>, RegExp][] = [
        [{ defaultAction: 'SCMP_ACT_MAYBE' }, /linux\/seccomp\/defaultAction/],
        [{ architectures: ['SCMP_ARCH_VAX'] }, /linux\/seccomp\/architectures\/0/],
        [{ flags: ['SECCOMP_FILTER_FLAG_NEW'] }, /linux\/seccomp\/flags\/0/],
        [
          { syscalls: [{ names: mkdir, action: 'SCMP_ACT_KILL', errnoRet: 1 }] },
          /linux\/seccomp\/syscalls\/0\/errnoRet/,
        ],
        [{ listenerMetadata: 'x' }, /linux\/seccomp\/listenerMetadata/],
      ];
      for (const [seccomp, message] of wrong) {
        expect((await scene.failure(profile(seccomp))).stderr).to.match(message);
      }
    },
  );

  scenario('names of system calls that nobody knows are left out', async (scene) => {
    scene.configure((config) => {
      config.process.args = ['true'];
      profile({ syscalls: [{ names: ['nosuchcall', ...mkdir], action: 'SCMP_ACT_ERRNO' }] })(config);
    });
    const quiet = await scene.run();
    expect([quiet.status, quiet.stderr]).to.deep.equal([0, '']);
    const debug = await scene.tsrun(['--debug', 'run', '--bundle', scene.bundle, scene.id()]);
    expect(debug.stderr).to.match(/nosuchcall/);
  });

  scenario('compiled filters are kept, and what was tampered with is not believed', async (scene) => {
    const folder = join(scene.root, '@seccomp');
    const denied = async (): Promise<void> => {
      expect(await scene.shell('mkdir /tmp/x 2>&1; true', onMkdir('SCMP_ACT_ERRNO'))).to.match(
        /not permitted/,
      );
    };
    await denied();
    const [entry = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, entry), 'utf8');
    await denied();
    expect(readdirSync(folder)).to.deep.equal([entry]);
    writeFileSync(join(folder, entry), text.replace(/"program":"[^"]*"/, '"program":"BgAAAAAA/38="'));
    await denied();
    expect(readFileSync(join(folder, entry), 'utf8')).to.equal(text);
    expect((await scene.tsrun(['list', '--quiet'])).stdout).to.equal('');
  });

  describe('with an agent', () => {
    const watching = (scene: Scene, more: Partial<Seccomp> = {}): Edit =>
      profile({
        listenerPath: scene.path('agent.sock'),
        listenerMetadata: 'for the agent',
        syscalls: [{ names: mkdir, action: 'SCMP_ACT_NOTIFY' }],
        ...more,
      });

    /** Starts the agent of programs/seccomp-agent.c; returns what it was told. */
    /** Starts the agent; what it gives waits until the agent has written all it was told, which is JSON. */
    async function startAgent(scene: Scene, name = 'agent.sock'): Promise<() => Promise<unknown>> {
      const agent = scene.keep(background(sharedProgram('seccomp-agent'), [scene.path(name), '39']));
      await until('the agent', () => existsSync(scene.path(name)));
      return async () => await until('what the agent was told', () => told(agent.stdout()));
    }

    /** What is no whole JSON yet is undefined. */
    function told(text: string): unknown {
      try {
        return JSON.parse(text);
      } catch {
        return undefined;
      }
    }

    scenario('a seccomp agent decides, and gets the state of the container as from runc', async (scene) => {
      const toldAgent = await startAgent(scene);
      const output = await scene.shell('mkdir /tmp/x 2>&1; true', (config) => {
        watching(scene)(config);
        config.annotations = { key: 'value' };
      });
      expect(output).to.match(/Directory not empty/);
      const state = (await toldAgent()) as Record<string, unknown> & { state: Record<string, unknown> };
      expect(state).to.deep.include({ fds: ['seccompFd'], metadata: 'for the agent', ociVersion: '1.3.0' });
      expect(state.state).to.deep.include({
        status: 'creating',
        bundle: scene.bundle,
        annotations: { key: 'value' },
        pid: state['pid'],
      });

      scene.configure((config) => {
        watching(scene, { listenerPath: scene.path('runc.sock') })(config);
        config.annotations = { key: 'value' };
        config.process.args = ['sh', '-c', 'mkdir /tmp/x 2>&1'];
      });
      const toldByRunc = await startAgent(scene, 'runc.sock');
      expect((await runWithRunc(scene)).stdout).to.equal(output);
      const theirs = (await toldByRunc()) as typeof state;
      expect(Object.keys(state)).to.have.members(Object.keys(theirs));
      expect(Object.keys(state.state)).to.have.members(Object.keys(theirs.state));
    });

    scenario('a seccomp agent gets the filter at create', async (scene) => {
      for (const noNewPrivileges of [true, false]) {
        const name = `agent-${noNewPrivileges}.sock`;
        const toldAgent = await startAgent(scene, name);
        const id = scene.id();
        scene.configure((config) => {
          watching(scene, { listenerPath: scene.path(name) })(config);
          config.process.noNewPrivileges = noNewPrivileges;
          config.process.args = ['sleep', '1000'];
        });
        const pid = await scene.create(id);
        const state = (await toldAgent()) as { pid: number; state: { id: string } };
        expect([state.pid, state.state.id]).to.deep.equal([pid, id]);
        expect(statusField(pid, 'Seccomp')).to.equal('2');
        await scene.start(id);
        await scene.delete(id, '--force');
      }
    });

    scenario('a seccomp agent gets the filter of each process of exec', async (scene) => {
      await startAgent(scene);
      const id = scene.id();
      scene.configure((config) => {
        watching(scene)(config);
        config.process.args = ['sleep', '1000'];
      });
      const pid = await scene.create(id);
      await scene.start(id);
      rmSync(scene.path('agent.sock'));
      const without = await scene.tsrun(['exec', id, 'mkdir', '/tmp/x']);
      expect(without.status).to.equal(255);
      expect(without.stderr).to.match(/\/linux\/seccomp\/listenerPath.*no such file or directory/i);

      const toldAgent = await startAgent(scene);
      const { stdout } = await scene.tsrun(['exec', id, 'sh', '-c', 'mkdir /tmp/x 2>&1']);
      expect(stdout).to.match(/Directory not empty/);
      const state = (await toldAgent()) as { pid: number; state: { status: string; pid: number } };
      expect(state.state).to.deep.include({ status: 'running', pid });
      expect(state.pid).not.to.equal(pid);
      await scene.delete(id, '--force');
    });

    scenario('a seccomp agent may be asked about everything but write', async (scene) => {
      await startAgent(scene);
      const names = [
        'sendmsg',
        'recvmsg',
        'wait4',
        'accept4',
        'close',
        'close_range',
        'execve',
        'exit_group',
      ];
      const output = await scene.shell(
        'echo done',
        watching(scene, { syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }] }),
      );
      expect(output).to.equal('done\n');
      const { stderr } = await scene.failure(
        watching(scene, { syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }] }),
      );
      expect(stderr).to.match(/SCMP_ACT_NOTIFY cannot be used for write/);
    });

    scenario('a seccomp agent that is missing is a clear error', async (scene) => {
      const missing = await scene.failure(watching(scene));
      expect(missing.stderr)
        .to.match(/linux\/seccomp\/listenerPath/)
        .and.match(/no such file or directory/i);
      const silent = await scene.failure(watching(scene, { listenerPath: '' }));
      expect(silent.stderr).to.match(/listenerPath/);
    });

    scenario(
      'a seccomp agent may be named by an annotation, and is not used without SCMP_ACT_NOTIFY',
      async (scene) => {
        const toldAgent = await startAgent(scene);
        const output = await scene.shell('mkdir /tmp/x 2>&1; true', (config) => {
          profile({ syscalls: [{ names: mkdir, action: 'SCMP_ACT_NOTIFY' }] })(config);
          config.annotations = { 'run.oci.seccomp.receiver': scene.path('agent.sock') };
        });
        expect(output).to.match(/Directory not empty/);
        expect(await toldAgent()).to.deep.include({ fds: ['seccompFd'] });
        await scene.shell('true', profile({ listenerPath: scene.path('nobody.sock') }));
      },
    );
  });
});

/** A rule that allows what a static program and the init of runc need, but not `names`. */
function allMost(names: readonly string[]): { names: string[]; action: string } {
  const allowed =
    'access arch_prctl brk clone close close_range dup dup2 dup3 execve exit exit_group fcntl fstat futex getcwd ' +
    'getdents64 getegid geteuid getgid getpid getppid getrandom getuid ioctl lseek mmap mprotect mremap munmap ' +
    'newfstatat openat pipe2 poll pread64 prlimit64 read readlink readlinkat rseq rt_sigaction rt_sigprocmask ' +
    'rt_sigreturn sched_yield set_robust_list set_tid_address stat statx uname vfork wait4 write writev faccessat2 ' +
    'capget capset epoll_create1 epoll_ctl epoll_pwait eventfd2 fchdir gettid madvise nanosleep prctl recvmsg ' +
    'sendmsg sendto setgid setgroups setuid sigaltstack tgkill chdir fchmodat fchown getsockopt fstatfs';
  return { names: allowed.split(' ').filter((name) => !names.includes(name)), action: 'SCMP_ACT_ALLOW' };
}
