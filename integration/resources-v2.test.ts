import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cgroupOf, controllerMount, hierarchies } from './harness/cgroups.ts';
import { started } from './harness/inside.ts';
import { scenario } from './harness/scenario.ts';
import { failed, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

const MiB = 1024 * 1024;

/** Where cgroup v2 has no controllers, it limits nothing; it has them in the guest with systemd. */
function noV2(): string | undefined {
  return hierarchies().length === 1 && controllerMount('memory') === undefined
    ? undefined
    : 'cgroup v1 has the controllers here';
}

/** A file of the cgroup of a process. */
function says(pid: number, file: string): string {
  const [mount = ''] = hierarchies();
  return readFileSync(join(mount, cgroupOf(pid, '') ?? '', file), 'utf8').trim();
}

async function send(scene: Scene, id: string, resources: unknown): Promise<void> {
  succeeded(await scene.tsrun(['update', '--resources=-', id], { input: JSON.stringify(resources) }));
}

interface Data {
  memory: { usage: { limit: number }; psi?: { some: { total: number } } };
  pids: { limit: number };
  cpu: { usage: { total: number; user: number } };
}

describe('limits on cgroup v2', () => {
  scenario(
    'update writes limits of cgroup v2',
    async (scene) => {
      const { id, pid } = await started(scene);
      const flags = '--memory 64m --memory-swap 96m --memory-reservation 16m --pids-limit 20 --cpu-share 512';
      succeeded(await scene.tsrun(['update', ...flags.split(' '), '--cpu-quota', '20000', id]));
      const files = ['memory.max', 'memory.swap.max', 'memory.low', 'pids.max', 'cpu.weight', 'cpu.max'];
      const values = [64 * MiB, 32 * MiB, 16 * MiB, 20, 59, '20000 100000'].map(String);
      expect(files.map((file) => says(pid, file))).to.deep.equal(values);
      // Each alone: the other part of the same file, or of the sum, stays.
      succeeded(await scene.tsrun(['update', '--cpu-period', '50000', '--memory-swap', '80m', id]));
      expect(says(pid, 'cpu.max')).to.equal('20000 50000');
      expect(says(pid, 'memory.swap.max')).to.equal(String(16 * MiB));
      await send(scene, id, {
        unified: { 'memory.high': '50331648', 'pids.max': '30' },
        memory: { limit: 0 },
      });
      expect([says(pid, 'memory.high'), says(pid, 'pids.max')]).to.deep.equal([String(48 * MiB), '30']);
      succeeded(await scene.tsrun(['update', '--memory', '-1', '--pids-limit=-1', id]));
      expect([says(pid, 'memory.max'), says(pid, 'pids.max')]).to.deep.equal(['max', 'max']);
    },
    noV2,
  );

  scenario(
    'an update on cgroup v2 that fails changes nothing',
    async (scene) => {
      const { id, pid } = await started(scene, (config) => {
        config.linux.resources.memory = { limit: 64 * MiB, swap: 64 * MiB };
      });
      const files = ['memory.max', 'memory.swap.max', 'cpu.weight', 'cpu.max', 'pids.max'];
      const before = files.map((file) => says(pid, file));
      const input = JSON.stringify({
        memory: { limit: 128 * MiB, swap: 256 * MiB },
        cpu: { shares: 77, quota: 20_000 },
        pids: { limit: 9 },
        unified: { 'memory.nonsense': '1' },
      });
      expect(failed(await scene.tsrun(['update', '-r', '-', id], { input })).stderr).to.contain(
        '/unified/memory.nonsense',
      );
      expect(files.map((file) => says(pid, file))).to.deep.equal(before);
    },
    noV2,
  );

  scenario(
    'update replaces device rules on cgroup v2',
    async (scene) => {
      const { id, shell } = await started(scene, (config) => {
        config.linux.devices = [{ type: 'c', path: '/dev/k', major: 240, minor: 11, fileMode: 0o666 }];
      });
      const nothing = { allow: false, access: 'rwm' };
      const open = async (): Promise<string> => await shell('(: < /dev/k) 2>&1; : < /dev/null; true');
      expect(await open()).to.contain('not permitted');
      await send(scene, id, {
        devices: [nothing, { allow: true, type: 'c', major: 240, minor: 11, access: 'r' }],
      });
      expect(await open()).to.contain('No such device');
      await send(scene, id, { devices: [nothing] });
      expect(await open()).to.contain('not permitted');
    },
    noV2,
  );

  scenario(
    'events report limits of cgroup v2, and running out of memory',
    async (scene) => {
      const hungry = 'while :; do dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; sleep 0.1; done';
      const { id } = await started(scene, (config) => {
        config.process.args = ['sh', '-c', hungry];
        config.linux.resources.memory = { limit: 16 * MiB, swap: 16 * MiB };
        config.linux.resources.pids = { limit: 20 };
      });
      const oom = JSON.stringify({ type: 'oom', id });
      const watching = scene.background(['events', '--interval', '1h', id]);
      await until('two events', () => watching.stdout().split(oom).length > 2, 60_000);
      const { data } = JSON.parse(succeeded(await scene.tsrun(['events', '--stats', id])).stdout) as {
        data: Data;
      };
      expect(data.memory.usage.limit).to.equal(16 * MiB);
      expect(data.pids.limit).to.equal(20);
      expect(data.cpu.usage.total).to.be.greaterThan(0);
      await scene.delete(id, '--force');
      expect(await watching.ended).to.include({ status: 0 });
      expect(new Set(watching.stdout().trim().split('\n'))).to.deep.equal(new Set([oom]));
    },
    noV2,
  );

  scenario(
    'an event of running out of memory comes before the end',
    async (scene) => {
      const { id, shell } = await started(scene, (config) => {
        const eat = 'exec dd if=/dev/zero of=/dev/null bs=64M count=1';
        config.process.args = ['sh', '-c', `until test -e /go; do sleep 0.1; done; ${eat}`];
        config.linux.resources.memory = { limit: 16 * MiB, swap: 16 * MiB };
      });
      const watching = scene.background(['events', '--interval', '100ms', id]);
      await until('an event', () => watching.stdout().includes('\n'), 60_000);
      await shell('touch /go');
      expect(await watching.ended).to.include({ status: 0 });
      expect(watching.stdout()).to.contain(JSON.stringify({ type: 'oom', id }));
    },
    noV2,
  );
});
