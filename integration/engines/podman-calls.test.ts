import { Buildah } from './harness/buildah.ts';
import { sameCallsTest } from './harness/life.ts';
import { Podman } from './harness/podman.ts';

// Whatever the life comes to: that it comes to the same is the test.
async function life(podman: Podman, id: string): Promise<void> {
  await podman.podman(['info']);
  await podman.run(`${id}a`, ['sh', '-c', 'exit 3'], '--rm');
  await podman.run(`${id}b`, ['no-such-command'], '--rm');
  await podman.run(`${id}c`, ['/etc/passwd'], '--rm');
  await podman.run(`${id}d`, ['true'], '--rm', '--sysctl', 'net.no_such_thing=1');
  await podman.onTerminal(podman.runArgs(`${id}e`, ['true'], '--rm', '--tty')).ended;
  await podman.started(id);
  await podman.exec(id, ['sh', '-c', 'exit 4']);
  await podman.exec(id, ['no-such-command']);
  await podman.exec(id, ['true'], '--workdir', '/no/such/folder');
  await podman.onTerminal(['exec', '--tty', id, 'true']).ended;
  await podman.podman(['top', id]);
  await podman.podman(['kill', '--signal', 'USR1', id]);
  await podman.podman(['restart', '--time', '0', id]);
  await podman.podman(['stop', '--time', '0', id]);
  await podman.podman(['start', id]);
  await podman.podman(['kill', id]);
  await podman.podman(['wait', id]);
  await podman.podman(['rm', id]);
  await podman.podman(['create', ...podman.containerArgs(id, ['true'])]);
  await podman.podman(['init', id]);
  await podman.podman(['rm', '--force', id]);
}

async function lifeWithLimits(podman: Podman, id: string): Promise<void> {
  await podman.started(id, '--memory', '64m');
  await podman.podman(['pause', id]);
  await podman.exec(id, ['true']);
  await podman.podman(['unpause', id]);
  await podman.podman(['update', '--memory', '80m', '--cpu-shares', '333', id]);
  await podman.podman(['update', '--cpuset-cpus', '1000', id]);
  await podman.podman(['stats', '--no-stream', id]);
  await podman.podman(['pause', id]);
  await podman.podman(['rm', '--force', '--time', '0', id]);
}

async function builds(buildah: Buildah, id: string): Promise<void> {
  await buildah.build(id, ['RUN true', 'RUN exit 3']);
  await buildah.build(`${id}b`, ['RUN ["no-such-command"]']);
  const container = await buildah.from(buildah.image);
  await buildah.buildah(['run', container, 'sh', '-c', 'exit 4']);
  await buildah.onTerminal(['run', '--tty', container, 'true']).ended;
}

sameCallsTest('podman', Podman.open.bind(Podman), async (podman, id) => {
  await life(podman, id);
  await lifeWithLimits(podman, id);
});
sameCallsTest('podman (rootless)', Podman.openRootless.bind(Podman), life);
sameCallsTest('buildah', Buildah.open.bind(Buildah), builds);
sameCallsTest('buildah (rootless)', Buildah.openRootless.bind(Buildah), builds);
