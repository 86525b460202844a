import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Config } from '../lib/config/types.ts';
import { controllerMount } from './harness/cgroups.ts';
import { exitStatus } from './harness/processes.ts';
import { type Result, run } from './harness/run.ts';
import { type Obstacle, scenario } from './harness/scenario.ts';
import { type Edit, type Scene, succeeded } from './harness/scene.ts';

type Runtime = 'tsrun' | 'runc';
const runtimes = ['tsrun', 'runc'] as const;

const noRunc = (): string | undefined =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'runc')))
    ? undefined
    : 'runc is not installed';

/** What a caller sees of one call: everything but the words, which are each runtime's own. */
interface Seen {
  call: string;
  status: number;
  stdout: string;
  says: boolean;
}

/** Does the same with both runtimes, on the same bundle, and returns what each call gave. */
async function sideBySide(
  scene: Scene,
  script: (call: (...args: string[]) => Promise<Result>, runtime: Runtime, id: string) => Promise<void>,
): Promise<{ tsrun: Seen[]; runc: Seen[] }> {
  const seen: Record<Runtime, Seen[]> = { tsrun: [], runc: [] };
  for (const runtime of runtimes) {
    const id = scene.id();
    scene.owns(id, runtime);
    const call = async (...args: string[]): Promise<Result> => {
      const result = await scene[runtime](args.map((arg) => arg.replaceAll('ID', id)));
      const neutral = (text: string): string =>
        text
          .replaceAll(id, 'ID')
          .replaceAll(/"pid": [1-9]\d*/g, '"pid": N')
          .replaceAll(/"created": "[^"]*"/g, '"created": "T"')
          .replaceAll(/"ociVersion": "[^"]*"/g, '"ociVersion": "V"');
      seen[runtime].push({
        call: args.join(' '),
        status: result.status,
        stdout: neutral(result.stdout),
        says: result.stderr !== '',
      });
      return result;
    };
    await script(call, runtime, id);
  }
  return seen;
}

/** Runs a script in a container on both runtimes, and returns what each printed. */
async function both(scene: Scene, script: string, edit?: Edit): Promise<{ tsrun: string; runc: string }> {
  scene.configure((config) => {
    config.process.args = ['sh', '-c', script];
    edit?.(config);
  });
  const output = async (runtime: Runtime): Promise<string> =>
    succeeded(await scene[runtime](['run', '--bundle', scene.bundle, scene.id()])).stdout;
  return { tsrun: await output('tsrun'), runc: await output('runc') };
}

/** How a path is masked is each runtime's own way. */
const unmasked: Edit = (config) => {
  config.linux.maskedPaths = [];
};

function same(title: string, script: string, edit?: Edit, obstacle: Obstacle = noRunc): void {
  scenario(
    title,
    async (scene) => {
      const { tsrun, runc } = await both(scene, script, edit);
      expect(tsrun).to.equal(runc);
    },
    obstacle,
  );
}

describe('beside runc', () => {
  scenario(
    'create to delete gives the exit codes, output and pid file of runc',
    async (scene) => {
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      const seen = await sideBySide(scene, async (call, runtime) => {
        const pidFile = scene.path(`pid-${runtime}`);
        await call('state', 'ID');
        succeeded(await call('create', '--bundle', scene.bundle, '--pid-file', pidFile, 'ID'));
        const pid = readFileSync(pidFile, 'utf8');
        expect(pid).to.match(/^\d+$/);
        await call('create', '--bundle', scene.bundle, 'ID');
        await call('state', 'ID');
        await call('list', '-q');
        await call('start', 'ID');
        await call('start', 'ID');
        await call('state', 'ID');
        await call('delete', 'ID');
        await call('kill', 'ID', 'NONSENSE');
        await call('kill', 'ID', 'KILL');
        expect(await exitStatus(Number(pid))).to.equal(137);
        await call('state', 'ID');
        await call('start', 'ID');
        await call('kill', 'ID', 'KILL');
        await call('delete', 'ID');
        await call('state', 'ID');
        await call('delete', 'ID');
        await call('delete', '--force', 'ID');
        await call('list', '-q');
      });
      // The one difference in these calls is the path of the pid file.
      const strip = (calls: Seen[]): Seen[] =>
        calls.map((one) => ({ ...one, call: one.call.replace(/pid-(tsrun|runc)/, 'pid') }));
      expect(strip(seen.tsrun)).to.deep.equal(strip(seen.runc));
    },
    noRunc,
  );

  for (const [title, args] of [
    ['exit 0', ['true']],
    ['exit 1', ['false']],
    ['exit 255', ['sh', '-c', 'exit 255']],
    ['exit by a signal', ['sh', '-c', 'sh -c "kill -9 \\$\\$"']],
    ['output', ['echo', 'hello']],
    ['a missing program', ['no-such-program']],
    ['a missing path', ['/no/such/program']],
    ['a program without permission', ['/etc/passwd']],
  ] as const) {
    scenario(
      `run: ${title}`,
      async (scene) => {
        scene.configure((config) => (config.process.args = [...args]));
        const seen = await sideBySide(scene, async (call) => {
          await call('run', '--bundle', scene.bundle, 'ID');
          await call('state', 'ID');
        });
        expect(seen.tsrun).to.deep.equal(seen.runc);
      },
      noRunc,
    );
  }

  same('mounts', 'cut -d" " -f5-6 /proc/self/mountinfo | sort', unmasked);
  same(
    'filesystem options',
    'sed "s/.* - //; s/ino=[0-9]*//" /proc/self/mountinfo | grep -v "^ext4\\|^overlay" | sort',
    unmasked,
  );
  same('devices', 'ls -l /dev | awk \'{print $1, $3, $4, $5, $6, $NF}\' | grep -v "^total\\|core$"');
  same('environment', 'env | sort');
  same('limits', 'cat /proc/self/limits');
  same(
    'capabilities, signals, privileges',
    'grep -v "^\\(Cpus\\|Mems\\|Vm\\|Rss\\|Sig[QCP]\\|Shd\\|.*ctxt\\|Seccomp\\|Hugetlb\\|Pid\\|Tgid\\|Ngid\\|NS\\|PPid\\|State\\|untag\\|x86\\|Threads\\|FDSize\\|Speculation\\|NStgid\\)" /proc/self/status',
  );
  same('identity', 'id; hostname; pwd; umask; cat /proc/self/oom_score_adj; echo $$');
  same('identity of a user', 'id -u; id -g; id -G; umask; echo $HOME', (config) => {
    config.process.user = { uid: 1000, gid: 1000, additionalGids: [50], umask: 0o077 };
  });
  same('descriptors', 'ls /proc/self/fd');
  same('network', 'ifconfig -a | grep -v "packets\\|bytes"');
  same(
    'a user namespace',
    'cat /proc/self/uid_map /proc/self/gid_map; id -u; grep ^Cap /proc/self/status',
    (config) => {
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65_536 }];
    },
  );
  same('cgroups in a namespace', 'cat /proc/self/cgroup | sort', (config) => {
    config.linux.namespaces.push({ type: 'cgroup' });
  });
  same(
    'the device filter',
    'grep "" /sys/fs/cgroup/devices/devices.list | sort',
    (config) => {
      config.mounts.push({
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['ro'],
      });
    },
    () => (controllerMount('devices') === undefined ? 'no cgroup v1 controller devices here' : noRunc()),
  );

  scenario(
    'a bundle of runc spec runs on both',
    async (scene) => {
      succeeded(await run('runc', ['spec', '--bundle', scene.bundle]));
      const config = JSON.parse(readFileSync(join(scene.bundle, 'config.json'), 'utf8')) as Config;
      const processSpec = { cwd: '/', ...config.process, terminal: false };
      scene.writeConfig({
        ...config,
        process: { ...processSpec, args: ['sh', '-c', 'echo $$; hostname; id; ls /'] },
      });
      const results = [];
      for (const runtime of runtimes) {
        results.push(succeeded(await scene[runtime](['run', '--bundle', scene.bundle, scene.id()])).stdout);
      }
      expect(results[0]).to.equal(results[1]);
    },
    noRunc,
  );
});
