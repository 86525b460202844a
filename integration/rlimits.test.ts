import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { processInfo } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import type { Scene } from './harness/scene.ts';
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

describe('rlimits', () => {
  scenario('each kind, soft and hard', async (scene) => {
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

  scenario('the largest numbers are exact', async (scene) => {
    const found = await limitsWith(
      scene,
      `[{"type": "RLIMIT_CORE", "soft": 9007199254740993, "hard": 18446744073709551615},
        {"type": "RLIMIT_FSIZE", "soft": 9223372036854775807, "hard": 18446744073709551614}]`,
    );
    expect(found.get('Max core file size')).to.equal('9007199254740993 unlimited');
    expect(found.get('Max file size')).to.equal('9223372036854775807 18446744073709551614');
  });

  scenario('without any they are those of the caller, open files included', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'ulimit -Sn; ulimit -Hn'];
      config.process.rlimits = [];
    });
    const shell = ['-c', 'ulimit -Sn 777; ulimit -Hn 3000; exec "$@"', 'sh', tsrun, '--root', scene.root];
    const result = await run('sh', [...shell, 'run', '--bundle', scene.bundle, id]);
    expect(result).to.include({ status: 0, stdout: '777\n3000\n' });
  });

  scenario('a type twice, an unknown one, and soft above hard are errors with a pointer', async (scene) => {
    const nofile = { type: 'RLIMIT_NOFILE', soft: 10, hard: 20 };
    for (const rlimits of [
      [nofile, nofile],
      [{ ...nofile, type: 'RLIMIT_HUMOUR' }],
      [{ ...nofile, soft: 21 }],
    ]) {
      const { stderr } = await scene.failure((config) => (config.process.rlimits = rlimits));
      expect(stderr).to.match(/rlimits/);
    }
  });
});
