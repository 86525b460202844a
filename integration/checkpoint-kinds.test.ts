import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { count, counter, Saver } from './harness/checkpoints.ts';
import { shareNamespace } from './harness/config.ts';
import { noCriu } from './harness/criu.ts';
import { namespaceOf } from './harness/processes.ts';
import { background, printed } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';
import { receiver } from './harness/terminals.ts';
import { until } from './harness/until.ts';

/** A connection over lo, on which every number comes back. */
const talking: Edit = (config) => {
  const script = `
    mkfifo /in
    nc -ll -p 8000 -e cat &
    until grep -q ':1F40 ' /proc/net/tcp /proc/net/tcp6; do sleep 0.02; done
    nc 127.0.0.1 8000 </in >/out &
    exec 3>/in
    i=0; while :; do i=$((i+1)); echo $i >&3; sleep 0.02; done`;
  config.process.args = ['sh', '-c', script];
};

/** The last number that came back. */
function heard(scene: Scene): number {
  return answers(scene).at(-1) ?? 0;
}

function answers(scene: Scene): number[] {
  const file = join(scene.rootfs, 'out');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1).map(Number) : [];
}

// Each is tried with runc as well: what a test expects is what runc does.
for (const runtime of ['tsrun', 'runc'] as const) {
  describe(`kinds of containers that ${runtime} saves and restores`, () => {
    scenario(
      'in a user namespace of its own',
      async (scene) => {
        const saver = new Saver(scene, runtime);
        const id = await saver.started((config) => {
          counter(config);
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
        });
        await until('the first counts', () => count(scene) > 3);
        succeeded(await saver.checkpoint(id));
        const before = count(scene);
        succeeded(await saver.restore(id));
        await until('more counts', () => count(scene) > before + 3);
        const pid = saver.restoredPid();
        expect(namespaceOf(pid, 'user')).not.to.equal(namespaceOf('self', 'user'));
        expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/ +/)).to.deep.equal([
          '0',
          '0',
          '65536',
        ]);
      },
      noCriu,
    );

    scenario(
      'in a network namespace that is somebody else’s',
      async (scene) => {
        const holder = scene.keep(background('unshare', ['--net', 'sh', '-c', 'echo ready; read _']));
        await printed(holder, 'ready');
        const path = `/proc/${holder.child.pid}/ns/net`;
        const saver = new Saver(scene, runtime);
        const id = await saver.started((config) => {
          counter(config);
          shareNamespace(config, 'network');
          config.linux.namespaces.push({ type: 'network', path });
        });
        await until('the first counts', () => count(scene) > 3);
        succeeded(await saver.checkpoint(id));
        const before = count(scene);
        succeeded(await saver.restore(id));
        await until('more counts', () => count(scene) > before + 3);
        expect(namespaceOf(saver.restoredPid(), 'net')).to.equal(namespaceOf(holder.child.pid ?? 0, 'net'));
      },
      noCriu,
    );

    scenario(
      'on a terminal, whose master goes to the console socket of restore',
      async (scene) => {
        const saver = new Saver(scene, runtime);
        const first = await receiver(scene);
        const id = await saver.started(
          (config) => {
            config.process.terminal = true;
            config.process.args = ['sh', '-c', 'n=0; while read line; do echo "$((n += 1)) $line"; done'];
          },
          '--console-socket',
          first.socket,
        );
        first.reader.child.stdin?.write('one\n');
        await printed(first.reader, '1 one');
        succeeded(await saver.checkpoint(id));
        await first.reader.ended;
        unlinkSync(first.socket);
        const second = await receiver(scene);
        succeeded(await saver.restore(id, ['--console-socket', second.socket]));
        second.reader.child.stdin?.write('two\n');
        await printed(second.reader, '2 two');
        expect((await saver.state(id)).status).to.equal('running');
      },
      noCriu,
    );
  });
}

describe('a container that tsrun saves and restores', () => {
  // runc leaves criu without the right to read the images.
  scenario(
    'in a user namespace whose root is nobody on the host',
    async (scene) => {
      const saver = new Saver(scene);
      chownSync(scene.rootfs, 100_000, 100_000);
      const id = await saver.started((config) => {
        counter(config);
        config.linux.namespaces.push({ type: 'user' });
        config.linux.uidMappings = config.linux.gidMappings = [
          { containerID: 0, hostID: 100_000, size: 65536 },
        ];
      });
      await until('the first counts', () => count(scene) > 3);
      succeeded(await saver.checkpoint(id));
      const images = scene.path('images');
      chmodSync(join(images, 'core-1.img'), 0o600);
      const before = count(scene);
      succeeded(await saver.restore(id));
      await until('more counts', () => count(scene) > before + 3);
      expect(statSync(`/proc/${saver.restoredPid()}`).uid).to.equal(100_000);
      expect(statSync(images)).to.include({ uid: 0, mode: 0o40700 });
      expect(readdirSync(images).filter((name) => name.startsWith('.'))).to.deep.equal([]);
    },
    noCriu,
  );

  // runc 1.1 leaves lo down, and has criu fail.
  scenario(
    'with a connection, when asked to',
    async (scene) => {
      const saver = new Saver(scene);
      const id = await saver.started(talking);
      await until('the first answers', () => heard(scene) > 3);
      expect(failed(await saver.checkpoint(id)).stderr).to.match(/criu/);
      const before = heard(scene);
      await until('more answers', () => heard(scene) > before);
      succeeded(await saver.checkpoint(id, '--tcp-established'));
      const saved = heard(scene);
      succeeded(await saver.restore(id, ['--tcp-established']));
      await until('answers after the restore', () => heard(scene) > saved + 3);
      // It is the same connection: none of its numbers is missing.
      const numbers = answers(scene);
      expect(numbers).to.deep.equal(numbers.map((_, index) => index + 1));
    },
    noCriu,
  );
});
