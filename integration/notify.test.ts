import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Saver } from './harness/checkpoints.ts';
import { criuEnv, noCriu } from './harness/criu.ts';
import { exitStatus } from './harness/processes.ts';
import { compileProgram } from './harness/programs.ts';
import { background, type Background, printed } from './harness/run.ts';
import { sharedFolder } from './harness/hooks.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

let sdnotify = '';

interface Manager {
  path: string;
  env: { NOTIFY_SOCKET: string };
  program: Background;
  /** What it was told so far, a newline as |. */
  heard: () => string[];
}

/** A service manager. It answers a barrier at once, or with `slow` for each line on its stdin. */
async function manager(scene: Scene, path = scene.path('manager'), slow = false): Promise<Manager> {
  const program = scene.keep(background(sdnotify, ['manage', path]));
  if (!slow) program.child.stdin?.end();
  await printed(program, 'listening\n');
  const heard = (): string[] => program.stdout().split('\n').slice(1, -1);
  return { path, env: { NOTIFY_SOCKET: path }, program, heard };
}

/** A container that runs a script in which `say TEXT...` notifies. */
function configure(scene: Scene, script: string, edit?: Edit): void {
  scene.configure((config) => {
    config.process.args = ['sh', '-c', `say() { /sdnotify say "$@"; }; ${script}`];
    edit?.(config);
  });
  copyFileSync(sdnotify, join(scene.rootfs, 'sdnotify'));
}

const told = (pid: number): string[] => [`got MAINPID=${pid}|READY=1|`, 'got BARRIER=1', 'with 1'];

describe('NOTIFY_SOCKET', () => {
  before(() => {
    sdnotify = compileProgram('sdnotify', join(sharedFolder(), 'programs'));
  });

  scenario('start waits until the container is ready, and tells the service manager', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(scene, 'until [ -e /go ]; do sleep 0.02; done; say READY=1; exec sleep 1000');
    const pid = await scene.create(id, [], { env });
    expect(heard()).to.deep.equal([]);
    const starting = scene.background(['start', id], { env });
    await scene.untilStatus(id, 'running');
    // Its lock is free meanwhile.
    succeeded(await scene.tsrun(['exec', id, 'touch', '/go']));
    expect(await starting.ended).to.include({ status: 0 });
    await until('the barrier', () => heard().length === 3);
    expect(heard()).to.deep.equal(told(pid));
    expect(readdirSync(join(scene.root, id, 'notify'))).to.deep.equal([]);
  });

  scenario('of all a container says only its readiness goes on, and no descriptor', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(
      scene,
      `say "MAINPID=1" "STATUS=up
STOPPING=1" "XREADY=1" ""; say -s 60000 "EXTEND_TIMEOUT_USEC=1"; say "STATUS=fine
READY=1
MAINPID=1"; exec sleep 1000`,
    );
    const pid = await scene.create(id, [], { env });
    succeeded(await scene.tsrun(['start', id], { env }));
    await until('the barrier', () => heard().length === 3);
    expect(heard()).to.deep.equal(told(pid));
  });

  scenario('an overlong message neither hangs nor breaks anything', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(scene, 'say -s 60000 READY=1; exec sleep 1000');
    await scene.create(id, [], { env });
    succeeded(await scene.tsrun(['start', id], { env }));
    await until('the barrier', () => heard().length === 3);
    expect(heard()[0]).to.match(/^got MAINPID=\d+\|READY=1x+\|$/);
  });

  scenario('start ends with a container that never says so', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(scene, 'say STATUS=trying; exit 3');
    const pid = await scene.create(id, [], { env });
    succeeded(await scene.tsrun(['start', id], { env }));
    expect(await exitStatus(pid)).to.equal(3);
    expect(heard()).to.deep.equal([]);
  });

  scenario('a container that is deleted meanwhile ends the wait', async (scene) => {
    const { env } = await manager(scene);
    const id = scene.id();
    configure(scene, 'exec sleep 1000');
    await scene.create(id, [], { env });
    const starting = scene.background(['start', id], { env });
    await scene.untilStatus(id, 'running');
    await scene.delete(id, '--force');
    expect(await starting.ended).to.include({ status: 0 });
    expect(existsSync(join(scene.root, id))).to.equal(false);
  });

  scenario('start waits until the manager has acknowledged', async (scene) => {
    const { env, program, heard } = await manager(scene, undefined, true);
    const id = scene.id();
    configure(scene, 'say READY=1; touch /said; exec sleep 1000');
    const pid = await scene.create(id, [], { env });
    const starting = scene.background(['start', id], { env });
    await until('the barrier', () => heard().length === 3);
    expect(heard()).to.deep.equal(told(pid));
    expect(starting.child.exitCode).to.equal(null);
    program.child.stdin?.write('\n');
    expect(await starting.ended).to.include({ status: 0 });
  });

  scenario('run --detach waits for readiness as well', async (scene) => {
    const { env, heard } = await manager(scene, `@${scene.name}-manager`);
    const id = scene.id();
    scene.owns(id);
    configure(scene, 'say READY=1; exec sleep 1000');
    const flags = ['--detach', '--bundle', scene.bundle, '--pid-file', scene.path('pid')];
    succeeded(await scene.tsrun(['run', ...flags, id], { env }));
    await until('the barrier', () => heard().length === 3);
    expect(heard()).to.deep.equal(told(Number(readFileSync(scene.path('pid'), 'utf8'))));
  });

  scenario('run in the foreground stays the main process of the service', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(scene, 'say STATUS=1 READY=1; read line; echo "$line"; exit 7');
    const program = scene.background(['run', '--bundle', scene.bundle, id], { env });
    await until('readiness', () => heard().length > 0);
    expect(heard()).to.deep.equal([`got MAINPID=${program.child.pid}|READY=1|`]);
    program.child.stdin?.end('still there\n');
    expect(await program.ended).to.include({ status: 7 });
    expect(program.stdout()).to.equal('still there\n');
  });

  scenario('a manager that is gone costs the container nothing, and is told of', async (scene) => {
    const { env, program } = await manager(scene);
    configure(scene, 'until [ -e /go ]; do sleep 0.02; done; say READY=1; read line; exit 4');
    const [detached, foreground] = [scene.id(), scene.id()];
    await scene.create(detached, [], { env });
    const starting = scene.background(['start', detached], { env });
    const running = scene.background(['run', '--bundle', scene.bundle, foreground], { env });
    for (const id of [detached, foreground]) await scene.untilStatus(id, 'running');
    program.child.kill('SIGKILL');
    await program.ended;
    succeeded(await scene.tsrun(['exec', foreground, 'touch', '/go']));
    running.child.stdin?.end();
    for (const [{ ended, stderr }, status] of [
      [starting, 0],
      [running, 4],
    ] as const) {
      expect(await ended).to.include({ status });
      expect(stderr()).to.match(/tell the service manager .*refused/);
    }
  });

  scenario('the user of the container may speak, but change nothing', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(
      scene,
      'stat -c "%F %a" /run/notify/notify.sock; cat /proc/self/mountinfo | grep -o " /run/notify ro,[^ ]*";' +
        'rm -f $NOTIFY_SOCKET 2>&1; say READY=1 && exec sleep 1000',
      (config) => {
        config.process.user = { uid: 1000, gid: 1000 };
        config.mounts.push({ destination: '/run', type: 'tmpfs', source: 'tmpfs' });
        config.process.env.push('NOTIFY_SOCKET=/elsewhere');
      },
    );
    const pidFile = scene.path(`${id}.pid`);
    scene.owns(id);
    const flags = ['run', '--detach', '--bundle', scene.bundle, '--pid-file', pidFile, id];
    const { stdout } = succeeded(await scene.tsrun(flags, { env }));
    const [socket, mount, removal] = stdout.split('\n');
    expect(socket).to.equal('socket 777');
    expect(mount).to.equal(' /run/notify ro,nosuid,nodev,noexec,relatime');
    expect(removal).to.match(/Read-only file system/);
    await until('the barrier', () => heard().length === 3);
  });

  scenario('readiness is forwarded from a user namespace, too', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(scene, 'say READY=1; exec sleep 1000', (config) => {
      config.linux.namespaces.push({ type: 'user' });
      const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
      config.linux.uidMappings = map;
      config.linux.gidMappings = map;
      // The rootfs belongs to a user who is nobody in there, so the mount's place must exist.
      config.mounts.push({ destination: '/run', type: 'tmpfs', source: 'tmpfs' });
    });
    mkdirSync(join(scene.rootfs, 'run'));
    const pid = await scene.create(id, [], { env });
    succeeded(await scene.tsrun(['start', id], { env }));
    await until('the barrier', () => heard().length === 3);
    expect(heard()).to.deep.equal(told(pid));
  });

  scenario('a socket that nobody reads is ignored with a warning', async (scene) => {
    configure(scene, 'test -z "$NOTIFY_SOCKET" && ! test -e /run/notify && echo fine');
    const missing = scene.path('missing');
    mkdirSync(scene.path('folder'));
    for (const [path, why] of [
      [missing, `NOTIFY_SOCKET: connect to ${missing}: .*ENOENT`],
      [`/${'x'.repeat(300)}`, 'NOTIFY_SOCKET: .*ENAMETOOLONG'],
      [`@${'x'.repeat(108)}`, 'NOTIFY_SOCKET: .*ENAMETOOLONG'],
      [`@${scene.name}-nobody`, 'NOTIFY_SOCKET: .*ECONNREFUSED'],
      [scene.path('folder'), 'NOTIFY_SOCKET: .*ENOTSOCK'],
      ['relative', 'NOTIFY_SOCKET: .*neither an absolute path nor an abstract name'],
      ['vsock:2:1234', 'NOTIFY_SOCKET: .*neither an absolute path nor an abstract name'],
    ] as const) {
      const { stdout, stderr } = succeeded(await scene.run([], { env: { NOTIFY_SOCKET: path } }));
      expect(stdout).to.equal('fine\n');
      expect(stderr).to.match(new RegExp(why));
    }
  });

  scenario('a manager that is gone by the time of start is ignored with a warning', async (scene) => {
    const { env, heard } = await manager(scene);
    const id = scene.id();
    configure(scene, 'say READY=1 2>&1 | grep -q "No such file"');
    const pid = await scene.create(id, [], { env });
    const wrong = { NOTIFY_SOCKET: scene.path('missing') };
    const { stderr } = succeeded(await scene.tsrun(['start', id], { env: wrong }));
    expect(stderr).to.match(/NOTIFY_SOCKET: .*ENOENT/);
    expect(await exitStatus(pid)).to.equal(0);
    expect(heard()).to.deep.equal([]);
  });

  scenario('without NOTIFY_SOCKET at create or start, start does not wait', async (scene) => {
    const { env, heard } = await manager(scene);
    const [first, second] = [scene.id(), scene.id()];
    configure(scene, 'test -z "$NOTIFY_SOCKET"');
    const pid = await scene.create(first);
    succeeded(await scene.tsrun(['start', first], { env }));
    expect(await exitStatus(pid)).to.equal(0);
    configure(scene, 'say READY=1 2>&1 | grep -q "No such file"');
    const other = await scene.create(second, [], { env });
    await scene.start(second);
    expect(await exitStatus(other)).to.equal(0);
    expect(heard()).to.deep.equal([]);
  });

  scenario(
    'an empty NOTIFY_SOCKET is none, and without a mount namespace there is a warning',
    async (scene) => {
      const { env } = await manager(scene);
      configure(scene, 'test -z "$NOTIFY_SOCKET"');
      succeeded(await scene.run([], { env: { NOTIFY_SOCKET: '' } }));
      configure(scene, 'test -z "$NOTIFY_SOCKET"', (config) => {
        config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'mount');
        config.linux.maskedPaths = [];
        config.linux.readonlyPaths = [];
        config.mounts = [];
      });
      const { stderr } = succeeded(await scene.run([], { env }));
      expect(stderr).to.match(/without a mount namespace .* NOTIFY_SOCKET/);
    },
  );

  scenario(
    'a restored container is ready, and has the mount as before',
    async (scene) => {
      const { env, heard } = await manager(scene);
      const saver = new Saver(scene);
      const id = scene.id();
      configure(scene, 'say READY=1; exec sleep 1000');
      scene.owns(id);
      succeeded(await scene.tsrun(['run', '--detach', '--bundle', scene.bundle, id], { env }));
      await until('the barrier', () => heard().length === 3);
      succeeded(await saver.checkpoint(id));
      rmSync(join(scene.rootfs, 'run', 'notify'), { recursive: true });
      succeeded(await saver.restore(id, [], { env }));
      await until('the second barrier', () => heard().length === 6);
      expect(heard().slice(3)).to.deep.equal(told(saver.restoredPid()));
      const mounts = succeeded(await scene.tsrun(['exec', id, 'cat', '/proc/self/mounts'])).stdout;
      expect(mounts).to.match(/ \/run\/notify \S+ ro,nosuid,nodev,noexec/);
      // Without a manager it goes on as well.
      succeeded(await saver.checkpoint(id));
      succeeded(await saver.restore(id));
      expect(await scene.state(id)).to.include({ status: 'running' });
      expect(heard()).to.have.length(6);
    },
    noCriu,
  );

  scenario(
    'restore in the foreground stays the main process of the service',
    async (scene) => {
      const { env, heard } = await manager(scene);
      const saver = new Saver(scene);
      const id = await saver.started((config) => {
        config.process.args = ['sh', '-c', 'until [ -e /go ]; do sleep 0.02; done'];
      });
      succeeded(await saver.checkpoint(id));
      const where = ['--image-path', scene.path('images'), '--bundle', scene.bundle];
      const restoring = scene.background(['restore', ...where, id], { env: { ...criuEnv, ...env } });
      await until('the message', () => heard().length > 0);
      expect(heard()).to.deep.equal([`got MAINPID=${restoring.child.pid}|READY=1|`]);
      writeFileSync(join(scene.rootfs, 'go'), '');
      expect(await restoring.ended).to.include({ status: 0 });
    },
    noCriu,
  );

  scenario(
    'restore goes on with a warning when nobody is the manager',
    async (scene) => {
      const saver = new Saver(scene);
      const id = await saver.started((config) => (config.process.args = ['sleep', '1000']));
      succeeded(await saver.checkpoint(id));
      const env = { NOTIFY_SOCKET: scene.path('nobody') };
      expect(succeeded(await saver.restore(id, [], { env })).stderr).to.match(/NOTIFY_SOCKET: .*ENOENT/);
      expect(await scene.state(id)).to.include({ status: 'running' });
    },
    noCriu,
  );
});
