import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { ownCapabilities } from '../lib/host/privileges.ts';
import { capabilityMask } from '../lib/config/capabilities.ts';
import type { Process, Rlimit } from '../lib/config/types.ts';
import type { TestConfig } from './harness/config.ts';
import { processInfo } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { type Result, run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

/** The rows of /proc/<pid>/limits, by their name there: soft and hard. */
function limitsOf(pid: number | 'self'): Map<string, string> {
  const rows = readFileSync(`/proc/${pid}/limits`, 'utf8').trimEnd().split('\n').slice(1);
  return new Map(
    rows.map((row) => {
      const [, name = '', soft = '', hard = ''] = /^(.+?)\s{2,}(\S+)\s+(\S+)/.exec(row) ?? [];
      return [name, `${soft} ${hard}`];
    }),
  );
}

async function limitsWith(scene: Scene, text: string): Promise<Map<string, string>> {
  const id = scene.id();
  const config = scene.configure((change) => (change.process.args = ['sleep', '1000']));
  // As text, since some of the numbers are beyond what JSON.stringify can write.
  scene.writeConfig(JSON.stringify(config).replace(JSON.stringify(config.process.rlimits), text));
  const pid = await scene.create(id);
  await scene.start(id);
  await until('execve', () => processInfo(pid)?.name === 'sleep');
  return limitsOf(pid);
}

function inUserNamespace(config: TestConfig): void {
  config.linux.namespaces.push({ type: 'user' });
  config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65_536 }];
}

function processFor(rlimits: readonly Rlimit[]): Process {
  return {
    args: ['sh', '-c', 'ulimit -Sn; ulimit -Hn'],
    cwd: '/',
    env: ['PATH=/bin'],
    rlimits: [...rlimits],
  };
}

/** Configures a container that sleeps, with these limits; returns a file for `exec --process` with the same. */
function withProcess(scene: Scene, rlimits: readonly Rlimit[]): string {
  scene.configure((config) => {
    inUserNamespace(config);
    config.process.args = ['sleep', '1000'];
    config.process.rlimits = [...rlimits];
  });
  const file = scene.path('process.json');
  writeFileSync(file, JSON.stringify(processFor(rlimits)));
  return file;
}

/** Runs tsrun with no more than 3000 open files. */
async function limited(scene: Scene, args: readonly string[]): Promise<Result> {
  const shell = ['-c', 'ulimit -Sn 777; ulimit -Hn 3000; exec "$@"', 'sh', tsrun, '--root', scene.root];
  return await run('sh', [...shell, ...args]);
}

/** The kernel wants it in the initial user namespace. */
function mayRaiseLimits(): boolean {
  return (ownCapabilities().permitted & capabilityMask(['CAP_SYS_RESOURCE'])) !== 0n;
}

describe('rlimits', () => {
  scenario('each rlimit is set, soft and hard', async (scene) => {
    const kinds: readonly (readonly [string, string])[] = [
      ['RLIMIT_CPU', 'Max cpu time'],
      ['RLIMIT_FSIZE', 'Max file size'],
      ['RLIMIT_DATA', 'Max data size'],
      ['RLIMIT_STACK', 'Max stack size'],
      ['RLIMIT_CORE', 'Max core file size'],
      ['RLIMIT_RSS', 'Max resident set'],
      ['RLIMIT_NPROC', 'Max processes'],
      ['RLIMIT_NOFILE', 'Max open files'],
      ['RLIMIT_MEMLOCK', 'Max locked memory'],
      ['RLIMIT_AS', 'Max address space'],
      ['RLIMIT_LOCKS', 'Max file locks'],
      ['RLIMIT_SIGPENDING', 'Max pending signals'],
      ['RLIMIT_MSGQUEUE', 'Max msgqueue size'],
    ];
    const host = limitsOf('self');
    const usable = kinds.map(([type, name]) => {
      const hard = host.get(name)?.split(' ')[1] ?? 'unlimited';
      const limit = hard === 'unlimited' ? 1_000_000_000 : Number(hard);
      return { type, name, soft: Math.floor(limit / 2), hard: limit };
    });
    const found = await limitsWith(
      scene,
      JSON.stringify(usable.map(({ type, soft, hard }) => ({ type, soft, hard }))),
    );
    for (const { name, soft, hard } of usable) expect(found.get(name), name).to.equal(`${soft} ${hard}`);
  });

  scenario('the largest rlimits are exact', async (scene) => {
    const found = await limitsWith(
      scene,
      `[{"type": "RLIMIT_CORE", "soft": 9007199254740993, "hard": 18446744073709551615},
        {"type": "RLIMIT_FSIZE", "soft": 9223372036854775807, "hard": 18446744073709551614}]`,
    );
    expect(found.get('Max core file size')).to.equal('9007199254740993 unlimited');
    expect(found.get('Max file size')).to.equal('9223372036854775807 18446744073709551614');
  });

  scenario('without rlimits those of the caller hold, open files included', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'ulimit -Sn; ulimit -Hn'];
      config.process.rlimits = [];
    });
    const result = await limited(scene, ['run', '--bundle', scene.bundle, id]);
    expect(result).to.include({ status: 0, stdout: '777\n3000\n' });
  });

  describe('in a user namespace', () => {
    scenario('rlimits are lowered in a user namespace, for the process and for exec', async (scene) => {
      const id = scene.id();
      const rlimits = [
        { type: 'RLIMIT_NOFILE', soft: 300, hard: 400 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 512 * 3 },
      ];
      const file = withProcess(scene, rlimits);
      await scene.create(id);
      await scene.start(id);
      const limits = 'ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc';
      const inside = succeeded(await scene.tsrun(['exec', id, 'sh', '-c', limits]));
      expect(inside.stdout).to.equal('300\n400\n0\n3\n');
      writeFileSync(file, JSON.stringify({ ...processFor(rlimits), args: ['sh', '-c', limits] }));
      const given = succeeded(await scene.tsrun(['exec', '--process', file, id]));
      expect(given.stdout).to.equal('300\n400\n0\n3\n');
    });

    scenario(
      'rlimits are raised in a user namespace by the power tsrun has outside of it',
      async (scene) => {
        const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 3500, hard: 4000 }];
        const id = scene.id();
        const file = withProcess(scene, rlimits);
        scene.owns(id);
        succeeded(await limited(scene, ['create', '--bundle', scene.bundle, id]));
        await scene.start(id);
        const { stdout } = succeeded(await limited(scene, ['exec', '--process', file, id]));
        expect(stdout).to.equal('3500\n4000\n');
      },
      () => (mayRaiseLimits() ? undefined : 'root has no CAP_SYS_RESOURCE here; it has on a host of its own'),
    );

    scenario(
      'rlimits that need a power tsrun lacks are an error that names them',
      async (scene) => {
        const id = scene.id();
        const file = withProcess(scene, [
          { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
          { type: 'RLIMIT_NOFILE', soft: 3500, hard: 4000 },
        ]);
        const created = failed(await limited(scene, ['run', '--bundle', scene.bundle, id]));
        const words = /RLIMIT_NOFILE to 4000: operation not permitted[^]*CAP_SYS_RESOURCE/;
        expect(created.stderr).to.contain('/process/rlimits/1').and.match(words);
        expect(await scene.tsrun(['state', id])).to.include({ status: 1 });

        const holder = scene.id();
        scene.configure((config) => {
          inUserNamespace(config);
          config.process.args = ['sleep', '1000'];
        });
        await scene.create(holder);
        await scene.start(holder);
        const executed = await limited(scene, ['exec', '--process', file, holder]);
        expect(executed.status).to.equal(255);
        expect(executed.stderr).to.contain('/rlimits/1').and.match(words);
      },
      () => (mayRaiseLimits() ? 'root has CAP_SYS_RESOURCE here and may raise any' : undefined),
    );
  });

  scenario(
    'an rlimit given twice, an unknown one, and soft above hard are errors with a pointer',
    async (scene) => {
      const nofile = { type: 'RLIMIT_NOFILE', soft: 10, hard: 20 };
      for (const rlimits of [
        [nofile, nofile],
        [{ ...nofile, type: 'RLIMIT_HUMOUR' }],
        [{ ...nofile, soft: 21 }],
      ]) {
        const { stderr } = await scene.failure((config) => (config.process.rlimits = rlimits));
        expect(stderr).to.match(/rlimits/);
      }
    },
  );
});
