import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { controllerMount } from '../harness/cgroups.ts';
import { allProcesses, isAlive } from '../harness/processes.ts';
import { run } from '../harness/run.ts';
import { failed, succeeded } from '../harness/scene.ts';
import { until } from '../harness/until.ts';
import { Ctr } from './harness/ctr.ts';
import { engineSuite } from './harness/suite.ts';

const forever = ['sleep', '1000'];
const numbers = (count: number): number[] => [...Array(count).keys()];

engineSuite('containerd (ctr), faults', Ctr.open.bind(Ctr), (action) => {
  action('50 containers at once', async (ctr, id) => {
    const flags = ['--rm'];
    const runs = numbers(50).map(async (n) => {
      return await ctr.run(`${id}n${n}`, ['sh', '-c', `echo ${n}; exit ${n}`], ...flags);
    });
    for (const [n, result] of (await Promise.all(runs)).entries()) {
      expect(result, result.stderr).to.include({ status: n, stdout: `${n}\n` });
    }
  });

  action('containerd killed while containers are created', async (ctr, id) => {
    const runs = numbers(6).map(async (n) => await ctr.run(`${id}n${n}`, forever, '--detach'));
    await until('a container', () => allProcesses().some(({ name }) => name === 'sleep'));
    await ctr.daemon.kill();
    await Promise.all(runs);
    await ctr.restart();
    // What got as far as a task is there and goes the usual way.
    for (const n of numbers(6)) {
      const name = `${id}n${n}`;
      if ((await ctr.status(name)) === 'RUNNING') succeeded(await ctr.exec(name, ['true']));
      await ctr.ctr(['task', 'rm', '--force', name]);
      await ctr.forget(name);
    }
    expect(await ctr.shell(`${id}again`, 'echo again')).to.equal('again\n');
  });

  action('the shim killed', async (ctr, id) => {
    await ctr.detached(id, forever);
    const pid = await ctr.pid(id);
    await ctr.killShim(id);
    // containerd sees it and has the runtime delete what is left.
    await until('the end of the container', () => !isAlive(pid));
    for (let tries = 0; (await ctr.status(id)) !== undefined; tries++) expect(tries).to.be.lessThan(200);
    expect(await ctr.shell(`${id}b`, 'echo well')).to.equal('well\n');
  });

  action('the runtime killed while it creates', async (ctr, id) => {
    const stop = new AbortController();
    const killer = killRuntimes(ctr.stage.runtime.path, stop.signal);
    const { status, stderr, timedOut } = await ctr.run(id, ['true'], '--rm');
    stop.abort();
    // It may have been quicker than its killer, which then meets a later call: each has words of its own.
    if ((await killer) > 0 && status !== 0) expect(stderr).to.match(/^ctr: .*(?:fail|kill|exit|not found)/m);
    expect(timedOut).to.equal(false);
    await ctr.ctr(['container', 'rm', id]);
    expect(await ctr.shell(`${id}b`, 'echo well')).to.equal('well\n');
  });

  action('a container killed while exec starts', async (ctr, id) => {
    for (const n of numbers(5)) {
      const name = `${id}n${n}`;
      await ctr.detached(name, forever);
      const execs = numbers(3).map(async () => await ctr.exec(name, ['sleep', '1001']));
      succeeded(await ctr.ctr(['task', 'kill', '--signal', 'KILL', name]));
      for (const result of await Promise.all(execs)) {
        expect(result.timedOut, result.stderr).to.equal(false);
        expect(result.status).to.not.equal(0);
      }
      expect(await ctr.exitStatus(name)).to.equal(137);
    }
  });

  action('exec in a container that has ended', async (ctr, id) => {
    await ctr.detached(id, ['true']);
    for (let tries = 0; (await ctr.status(id)) !== 'STOPPED'; tries++) expect(tries).to.be.lessThan(200);
    expect(failed(await ctr.exec(id, ['true'])).stderr).to.match(/stopped|not running|not found/);
  });

  action('no space left for the state', async (ctr, id) => {
    const full = join(ctr.stage.folder, `${id}-full`);
    mkdirSync(full);
    succeeded(await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', full]));
    try {
      const filler = join(full, 'filler');
      succeeded(await run('sh', ['-c', `head -c 1M /dev/zero >${filler} 2>/dev/null || true`]));
      const flags = ['--rm', '--runc-root', join(full, 'runtime')];
      const { stderr } = failed(await ctr.run(`${id}a`, ['true'], ...flags));
      // runc says `unexpected EOF`: it asks its own pipe first.
      if (ctr.stage.runtime.name === 'tsrun') expect(stderr).to.match(/no space left on device/);
      rmSync(filler);
      expect(await ctr.shell(`${id}b`, 'echo again', ...flags.slice(1))).to.equal('again\n');
    } finally {
      await ctr.reset();
      succeeded(await run('umount', ['-l', full]));
    }
  });

  action('exec at the limit of processes', async (ctr, id) => {
    const config = ctr.config(id, [
      'sh',
      '-c',
      'trap : TERM; sleep 1000 & sleep 1000 & sleep 1000 & wait; wait',
    ]);
    config.linux.resources.pids = { limit: 4 };
    succeeded(await ctr.runConfig(id, config, '--detach'));
    const tasks = async (): Promise<number> =>
      (await ctr.ctr(['task', 'ps', id])).stdout.split('\n').length - 2;
    for (let tries = 0; (await tasks()) < 4; tries++) expect(tries).to.be.lessThan(200);
    failed(await ctr.exec(id, ['sh', '-c', 'sleep 0; echo forked']));
    expect(await ctr.status(id)).to.equal('RUNNING');
    succeeded(await ctr.ctr(['task', 'kill', '--signal', 'TERM', id]));
  });

  action(
    'a new container where no more processes may be',
    async (ctr, id) => {
      await ctr.detached(id, forever);
      const parent = join(controllerMount('pids') ?? '', ctr.stage.name);
      const limit = join(parent, 'pids.max');
      writeFileSync(limit, readFileSync(join(parent, 'pids.current'), 'utf8'));
      try {
        // runc needs a process more than is left; tsrun can begin, and the program fails.
        const command = ['sh', '-c', '(true); echo forked'];
        expect(failed(await ctr.run(`${id}b`, command, '--rm')).stdout).to.equal('');
      } finally {
        writeFileSync(limit, 'max');
      }
      expect(await ctr.shell(`${id}c`, 'echo well')).to.equal('well\n');
      succeeded(await ctr.exec(id, ['true']));
    },
    {
      obstacle: () =>
        controllerMount('pids') === undefined ? 'no cgroup v1 controller pids here' : undefined,
    },
  );

  action('a config that is refused', async (ctr, id) => {
    const config = ctr.config(id, ['true']);
    config.mounts.push({ destination: '/x', type: 'bind', source: '/no/such/folder', options: ['bind'] });
    const { stderr } = failed(await ctr.runConfig(id, config, '--rm'));
    expect(stderr).to.match(/\/no\/such\/folder.*no such file or directory/);
    expect(await ctr.shell(`${id}b`, 'echo well')).to.equal('well\n');
  });
});

/** Kills every process of a program as it comes, until told to stop; returns how many. */
async function killRuntimes(path: string, stop: AbortSignal): Promise<number> {
  let count = 0;
  const name = path.slice(path.lastIndexOf('/') + 1, path.lastIndexOf('/') + 16);
  await until('the test to end', () => {
    for (const { pid, name: comm } of allProcesses()) {
      if (comm !== name) continue;
      try {
        process.kill(pid, 'SIGKILL');
        count++;
      } catch {
        // It has ended by itself.
      }
    }
    return stop.aborted;
  });
  return count;
}
