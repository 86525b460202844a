import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cgroupOf } from './harness/cgroups.ts';
import { setCapabilities, shareNamespace } from './harness/config.ts';
import { refused, started } from './harness/inside.ts';
import { exitStatus, isAlive, namespaceOf, processInfo, statusField } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { printed, run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Scene, succeeded } from './harness/scene.ts';
import { noStrace, withFault } from './harness/strace.ts';
import { until } from './harness/until.ts';

const kinds = ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup', 'time'] as const;

/** Writes a process file: what is given, over the least a process needs. */
function processFile(scene: Scene, processSpec: object): string {
  const path = scene.path('process.json');
  const least = { cwd: '/', args: ['true'], env: ['PATH=/bin'], user: { uid: 0, gid: 0 } };
  writeFileSync(path, JSON.stringify({ ...least, ...processSpec }, null, 2));
  return path;
}

/** Runs a detached process in the container and returns its pid on the host. */
async function detached(
  scene: Scene,
  id: string,
  command: readonly string[],
  flags: readonly string[] = [],
): Promise<number> {
  const pidFile = scene.path('exec.pid');
  const args = ['exec', '--detach', '--pid-file', pidFile, ...flags, id, ...command];
  succeeded(await scene.tsrun(args));
  const text = readFileSync(pidFile, 'utf8');
  expect(text).to.match(/^\d+$/);
  return scene.adopt(Number(text));
}

describe('exec', () => {
  describe('joins the container', () => {
    scenario('exec joins all namespaces and cgroups of the container', async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        config.linux.namespaces.push({ type: 'cgroup' }, { type: 'time' });
      });
      const other = await detached(scene, id, ['sleep', '1000']);
      for (const kind of kinds) expect(namespaceOf(other, kind)).to.equal(namespaceOf(pid, kind));
      for (const kind of ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'time'])
        expect(namespaceOf(other, kind)).not.to.equal(namespaceOf('self', kind));
      expect(readFileSync(`/proc/${other}/cgroup`, 'utf8')).to.equal(
        readFileSync(`/proc/${pid}/cgroup`, 'utf8'),
      );
    });

    scenario('exec joins a user namespace, as its root', async (scene) => {
      const { id, pid, shell } = await started(scene, (config) => {
        config.linux.namespaces.push({ type: 'user' }, { type: 'cgroup' });
        config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
        config.linux.gidMappings = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
      });
      const other = await detached(scene, id, ['sleep', '1000']);
      for (const kind of kinds) expect(namespaceOf(other, kind)).to.equal(namespaceOf(pid, kind));
      expect(statusField(other, 'Uid').split(/\s+/)[0]).to.equal('100000');
      expect(statusField(other, 'Gid').split(/\s+/)[0]).to.equal('200000');
      expect(await shell('id -u; id -g', '--user', '5:6')).to.equal('5\n6\n');
    });

    scenario('exec joins a container that shares the namespaces of the host', async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        for (const type of ['pid', 'network', 'ipc', 'uts'] as const) shareNamespace(config, type);
        delete (config as { hostname?: string }).hostname;
      });
      const other = await detached(scene, id, ['sleep', '1000']);
      for (const kind of kinds) expect(namespaceOf(other, kind)).to.equal(namespaceOf(pid, kind));
      await scene.kill(id, 'KILL');
    });

    scenario('exec joins a container without a mount namespace, in its root', async (scene) => {
      const { shell } = await started(scene, (config) => {
        shareNamespace(config, 'mount');
        config.mounts = [];
        config.linux.maskedPaths = config.linux.readonlyPaths = [];
      });
      expect(await shell('ls /bin/busybox; ls /host-file 2>&1 || true; pwd')).to.match(
        /^\/bin\/busybox\n.*No such file.*\n\/\n$/,
      );
    });

    scenario('exec joins a container that joined namespaces of another', async (scene) => {
      const first = await started(scene);
      const { shell } = await started(scene, (config) => {
        for (const namespace of config.linux.namespaces) {
          if (namespace.type === 'network') namespace.path = `/proc/${first.pid}/ns/net`;
          if (namespace.type === 'ipc') namespace.path = `/proc/${first.pid}/ns/ipc`;
        }
      });
      expect((await shell('readlink /proc/self/ns/net')).trim()).to.equal(namespaceOf(first.pid, 'net'));
    });

    scenario('exec joins the session keyring of the container', async (scene) => {
      const { id, shell } = await started(scene, (config) => (config.linux.maskedPaths = []));
      const serial = await shell(`grep -o '^[0-9a-f]* .*_ses.${id}' /proc/keys | cut -d' ' -f1`);
      expect(serial).to.match(/^[0-9a-f]+\n$/);
      expect(await shell(`grep -o '^[0-9a-f]* .*_ses.${id}' /proc/keys | cut -d' ' -f1`)).to.equal(serial);
    });

    scenario('exec joins a container before its start', async (scene) => {
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      await scene.create(id);
      const result = succeeded(await scene.tsrun(['exec', id, 'hostname']));
      expect(result.stdout).to.equal('tsrun-test\n');
      expect(await scene.state(id)).to.include({ status: 'created' });
    });

    scenario('exec joins a container many times at once', async (scene) => {
      const { exec } = await started(scene);
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) => exec([], ['sh', '-c', `exit ${index}`])),
      );
      expect(results.map(({ status }) => status)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
    });
  });

  describe('ends', () => {
    scenario('exec ends with the status and the output of the process', async (scene) => {
      const { exec } = await started(scene);
      const result = await exec([], ['sh', '-c', 'echo out; echo err >&2; exit 42']);
      expect(result).to.include({ status: 42, stdout: 'out\n', stderr: 'err\n' });
      expect(await exec([], ['sh', '-c', 'exit 255'])).to.include({ status: 255, stderr: '' });
      expect(await exec([], ['--', 'echo', '--'])).to.include({ status: 0, stdout: '--\n' });
    });

    scenario('exec ends with 128 + the signal that ended the process', async (scene) => {
      const { exec } = await started(scene);
      expect(await exec([], ['sh', '-c', 'kill -9 $$'])).to.include({ status: 137 });
      expect(await exec([], ['sh', '-c', 'kill -15 $$'])).to.include({ status: 143 });
    });

    scenario('exec ends with 255 and the cause when it cannot run the process', async (scene) => {
      const { exec } = await started(scene);
      writeFileSync(join(scene.rootfs, 'bin/broken'), '#!/no/such/interpreter\n', { mode: 0o755 });
      for (const [command, words] of [
        [['no-such-program'], /exec: "no-such-program": executable file not found in \$PATH/],
        [['/no/such/program'], /\/no\/such\/program.*no such file or directory/],
        [['/etc/passwd'], /permission denied/],
        [['/bin/broken'], /interpreter \/no\/such\/interpreter/],
        [[], /exec args cannot be empty/],
      ] as const) {
        const { stderr } = refused(await exec([], command));
        expect(stderr).to.match(words);
      }
    });

    scenario('exec ends with 255 when there is no container, or none that runs', async (scene) => {
      const { id, pid, exec } = await started(scene);
      const unknown = refused(await scene.tsrun(['exec', scene.id(), 'true']));
      expect(unknown.stderr).to.match(/does not exist/);
      await scene.kill(id, 'KILL');
      await exitStatus(pid);
      const dead = refused(await exec([], ['true']));
      expect(dead.stderr).to.match(/cannot exec in a stopped container.*container not running/);
    });

    scenario('exec ends with 137 when the container ends', async (scene) => {
      const { id } = await started(scene);
      const program = scene.background(['exec', id, 'sh', '-c', 'echo ready; sleep 1000']);
      await printed(program, 'ready');
      await scene.kill(id, 'KILL');
      expect((await program.ended).status).to.equal(137);
    });

    scenario('exec ends with a clear error when the container is killed meanwhile', async (scene) => {
      for (let round = 0; round < 6; round++) {
        const { id, exec } = await started(scene);
        const both = [exec([], ['sleep', '1000'])];
        // Each time at another moment of exec.
        await new Promise((resolve) => setTimeout(resolve, round * 4));
        await scene.kill(id, 'KILL');
        const [result] = await Promise.all(both);
        expect([137, 255]).to.include(result?.status);
        if (result?.status === 255) expect(result.stderr).to.match(/container not running/);
        await scene.delete(id, '--force');
      }
    });

    scenario('exec --detach ends at once, and the process keeps running', async (scene) => {
      const { id } = await started(scene);
      const pid = await detached(scene, id, ['sh', '-c', 'sleep 0.1; exit 9']);
      expect(isAlive(pid)).to.equal(true);
      expect(await exitStatus(pid)).to.equal(9);
    });

    scenario('exec leaves no pid file when the process could not run', async (scene) => {
      const { exec } = await started(scene);
      const pidFile = scene.path('exec.pid');
      refused(await exec(['--pid-file', pidFile], ['no-such-program']));
      refused(await exec(['--detach', '--pid-file', pidFile], ['/etc/passwd']));
      expect(existsSync(pidFile)).to.equal(false);
      expect(existsSync(scene.path('.exec.pid'))).to.equal(false);
    });
  });

  describe('with --process', () => {
    scenario('exec --process runs the process of the file', async (scene) => {
      const { exec } = await started(scene);
      const file = processFile(scene, {
        args: ['sh', '-c', 'echo $WORD; pwd; id -u; id -g; umask; ulimit -n'],
        env: ['PATH=/bin', 'WORD=fine'],
        cwd: '/tmp',
        user: { uid: 1000, gid: 50, umask: 0o077 },
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 300, hard: 300 }],
      });
      const { stdout } = succeeded(await exec(['--process', file]));
      expect(stdout).to.equal('fine\n/tmp\n1000\n50\n0077\n300\n');
    });

    scenario('flags of exec change the process of a file', async (scene) => {
      const { exec } = await started(scene);
      const file = processFile(scene, {
        args: ['sh', '-c', 'echo $A $B; pwd; id -u'],
        env: ['PATH=/bin', 'A=file', 'B=file'],
      });
      const flags = ['--process', file, '--env', 'B=flag', '--cwd', '/tmp', '--user', '1000'];
      expect(succeeded(await exec(flags)).stdout).to.equal('file flag\n/tmp\n1000\n');
      expect(succeeded(await exec(['-p', file], ['echo', 'other'])).stdout).to.equal('other\n');
    });

    scenario('exec --process takes from the container what the file leaves open', async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        setCapabilities(config, ['CAP_KILL']);
        config.process.oomScoreAdj = 321;
      });
      const file = processFile(scene, { args: ['sleep', '1000'] });
      const other = await detached(scene, id, [], ['--process', file]);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(statusField(other, set)).to.equal(statusField(pid, set));
      expect(readFileSync(`/proc/${other}/oom_score_adj`, 'utf8')).to.equal('321\n');
      const limits = (of: number): string => readFileSync(`/proc/${of}/limits`, 'utf8');
      expect(limits(other)).to.equal(limits(pid));
    });

    scenario('exec --process says where in the file an error is', async (scene) => {
      const { exec } = await started(scene);
      for (const [change, words] of [
        [{ cwd: 'relative' }, /process\.json:2:10: \/cwd "relative".*absolute/],
        [{ user: { uid: 'root' } }, /process\.json:.*\/user\/uid.*integer/],
        [{ args: [] }, /process\.json:.*\/args/],
        [{ cwd: '/nowhere' }, /process\.json:2:10: \/cwd "\/nowhere".*no such file/],
        [{ rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }, /\/rlimits\/0\/type/],
      ] as const) {
        const { stderr } = refused(await exec(['--process', processFile(scene, change)]));
        expect(stderr).to.match(words);
      }
      writeFileSync(scene.path('bad.json'), '{ "args": [ }');
      expect(refused(await exec(['--process', scene.path('bad.json')])).stderr).to.match(
        /bad\.json:1:13.*JSON/,
      );
      const missing = refused(await exec(['--process', scene.path('nothing')]));
      expect(missing.stderr).to.match(/nothing.*no such file/);
    });

    scenario('exec --process reads the file from a pipe', async (scene) => {
      const { id } = await started(scene);
      const file = processFile(scene, { args: ['echo', 'piped'] });
      const script = 'cat "$0" | "$1" --root "$2" exec --process /dev/stdin "$3"';
      const result = await run('sh', ['-c', script, file, tsrun, scene.root, id]);
      expect(succeeded(result).stdout).to.equal('piped\n');
    });
  });

  describe('restricts the process', () => {
    scenario('--user is a uid and perhaps a gid, nothing else', async (scene) => {
      const { exec, shell } = await started(scene);
      expect(await shell('id -u; id -g', '--user', '1')).to.equal('1\n0\n');
      expect(await shell('id -u; id -g', '--user', '1000:50')).to.equal('1000\n50\n');
      expect(await shell('id -G', '-u', '1000:50', '-g', '7', '-g', '8')).to.equal('50 7 8\n');
      const wrong =
        '1: :1 abc -1 1:-1 1:x 4294967295 1:4294967295 99999999999999999999 0x1 1.0 +1 root 1:2:3';
      for (const user of wrong.split(' ')) {
        const { stderr } = refused(await exec([`--user=${user}`], ['id', '-u']));
        expect(stderr).to.contain('--user');
      }
      refused(await exec(['--additional-gids', '4294967295'], ['true']));
    });

    scenario('exec restricts the process as the container is restricted', async (scene) => {
      const { id, pid } = await started(scene);
      const other = await detached(scene, id, ['sleep', '1000']);
      for (const field of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'])
        expect(statusField(other, field)).to.equal(statusField(pid, field));
    });

    scenario('--cap never makes anything inheritable', async (scene) => {
      const { shell } = await started(scene);
      const sets = await shell('grep ^Cap /proc/self/status', '--cap', 'CAP_SYS_PTRACE');
      const of = (name: string): bigint =>
        BigInt(`0x${new RegExp(`${name}:\\s*(\\S+)`).exec(sets)?.[1] ?? ''}`);
      const bit = 1n << 19n;
      for (const name of ['CapPrm', 'CapEff', 'CapBnd']) expect(of(name) & bit).to.equal(bit);
      expect(of('CapInh')).to.equal(0n);
      expect(of('CapAmb')).to.equal(0n);
    });

    scenario('an unknown --cap is a warning', async (scene) => {
      const { exec } = await started(scene);
      const result = succeeded(await exec(['--cap', 'CAP_KILLL'], ['true']));
      expect(result.stderr).to.match(/CAP_KILLL.*did you mean CAP_KILL/);
    });

    scenario('exec --no-new-privs sets no_new_privs', async (scene) => {
      const { shell } = await started(scene, (config) => (config.process.noNewPrivileges = false));
      const ask = 'grep NoNewPrivs /proc/self/status | cut -f2';
      expect(await shell(ask)).to.equal('0\n');
      expect(await shell(ask, '--no-new-privs')).to.equal('1\n');
    });

    scenario('exec applies execCPUAffinity', async (scene) => {
      const { id } = await started(scene, (config) => {
        config.process.execCPUAffinity = { initial: '0-1', final: '0' };
      });
      const other = await detached(scene, id, ['sleep', '1000']);
      expect(statusField(other, 'Cpus_allowed_list')).to.equal('0');
    });

    scenario('exec refuses a working directory that leads out of the container', async (scene) => {
      const { exec } = await started(scene);
      for (let fd = 3; fd < 20; fd++) {
        const { stderr } = refused(await exec(['--cwd', `/proc/self/fd/${fd}`], ['pwd']));
        expect(stderr).to.contain('--cwd');
      }
      expect(refused(await exec(['--cwd', '/nowhere'], ['pwd'])).stderr).to.match(/no such file/);
      expect(existsSync(join(scene.rootfs, 'nowhere'))).to.equal(false);
    });
  });

  describe('descriptors', () => {
    scenario('a process of exec has no descriptors but stdio', async (scene) => {
      const { shell } = await started(scene);
      expect(await shell('ls /proc/self/fd')).to.equal('0\n1\n2\n3\n');
    });

    scenario('exec --preserve-fds and LISTEN_FDS pass more descriptors', async (scene) => {
      const { exec, id } = await started(scene);
      writeFileSync(scene.path('three'), 'three\n');
      const fd = openSync(scene.path('three'), 'r');
      const script = 'cat <&3; echo $LISTEN_FDS; ls /proc/self/fd';
      const kept = await exec(['--preserve-fds', '1'], ['sh', '-c', script], { fds: [fd] });
      expect(kept.stdout).to.equal('three\n\n0\n1\n2\n3\n4\n');
      closeSync(fd);
      const again = openSync(scene.path('three'), 'r');
      const env = { LISTEN_FDS: '1' };
      const listening = await scene.activated(['exec', id, 'sh', '-c', script], { fds: [again], env });
      expect(listening.stdout).to.equal('three\n1\n0\n1\n2\n3\n4\n');
      const others = await exec([], ['sh', '-c', 'ls /proc/self/fd'], { fds: [again], env });
      expect(others.stdout).to.equal('0\n1\n2\n3\n');
      closeSync(again);
      refused(await exec(['--preserve-fds', '5'], ['true']));
    });

    scenario('descriptors of the init of exec are out of reach of the container', async (scene) => {
      const { exec, id } = await started(scene);
      const spy = `while :; do for p in /proc/[0-9]*; do [ "$p" = /proc/1 ] && continue
        grep -q tsrun-init $p/comm 2>/dev/null && ls -l $p/fd 2>/dev/null | grep -e '->' >> /found; done; done`;
      const watcher = await detached(scene, id, ['sh', '-c', `touch /found; ${spy}`]);
      await until('the spy', () => existsSync(join(scene.rootfs, 'found')));
      for (let i = 0; i < 12; i++) succeeded(await exec([], ['true']));
      expect(isAlive(watcher)).to.equal(true);
      // By the time the spy looks, it may have become the program, which has its stdio.
      expect(readFileSync(join(scene.rootfs, 'found'), 'utf8')).not.to.match(/ (?:[3-9]|\d\d+) -> /);
    });
  });

  describe('--cgroup', () => {
    scenario('exec --cgroup puts the process below the container, and nowhere else', async (scene) => {
      const { id, pid, exec } = await started(scene);
      const own = cgroupOf(pid, 'pids') ?? '';
      const absent = refused(await exec(['--cgroup', 'pids:sub'], ['true']));
      expect(absent.stderr).to.match(/sub cgroup .* does not exist/);
      for (const [value, words] of [
        ['pids:../..', /is not a sub cgroup path/],
        ['pids:/../x', /is not a sub cgroup path/],
        // The name of a neighbour may begin with that of the container.
        [`pids:../${id}2`, /is not a sub cgroup path/],
        [`../${id}2/sub`, /is not a sub cgroup path/],
        ['sub/../../x', /is not a sub cgroup path/],
        ['nonsense:sub', /unknown controller/],
        [':sub', /empty/],
      ] as const) {
        const { stderr } = refused(await exec(['--cgroup', value], ['true']));
        expect(stderr).to.match(words);
      }
      const other = await detached(scene, id, ['sleep', '1000'], ['--cgroup', 'pids:.']);
      expect(cgroupOf(other, 'pids')).to.equal(own);
    });
  });

  scenario(
    'exec into a container that ends meanwhile says so, and leaves no pid file',
    async (scene) => {
      const { id, pid } = await started(scene);
      const pidFile = scene.path('exec.pid');
      // It is late with its last word to the process, behind the pid file.
      const exec = withFault(scene, 'sendmsg:delay_enter=1500000', [
        'exec',
        '--pid-file',
        pidFile,
        id,
        'true',
      ]);
      await until('the pid file', () => existsSync(pidFile));
      await scene.kill(id, 'KILL');
      await exitStatus(pid);
      expect(refused(await exec).stderr).to.match(/container not running \(it has just ended: /);
      expect(existsSync(pidFile)).to.equal(false);
    },
    noStrace,
  );

  scenario('signals to tsrun reach the process', async (scene) => {
    const { id } = await started(scene);
    const script = "trap 'echo hup; exit 4' HUP; echo ready; while :; do sleep 0.05; done";
    const program = scene.background(['exec', id, 'sh', '-c', script]);
    await printed(program, 'ready');
    program.child.kill('SIGHUP');
    expect((await program.ended).status).to.equal(4);
    expect(program.stdout()).to.contain('hup');
  });

  scenario('a process of exec leads a session of its own', async (scene) => {
    const { id } = await started(scene);
    const other = await detached(scene, id, ['sleep', '1000']);
    const session = readFileSync(`/proc/${other}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    expect(Number(session)).to.equal(other);
    expect(processInfo(other)?.name).to.equal('sleep');
  });
});
