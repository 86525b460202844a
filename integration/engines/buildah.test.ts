import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { printed } from '../harness/run.ts';
import { failed, succeeded } from '../harness/scene.ts';
import { Buildah } from './harness/buildah.ts';
import { type DeclareAction, engineSuite } from './harness/suite.ts';

function actions(action: DeclareAction<Buildah>): void {
  action('build, and run what was built', async (buildah, id) => {
    const lines = ['RUN echo built >/data/file && echo from RUN', 'RUN cat /data/file'];
    expect(succeeded(await buildah.build(id, lines)).stdout).to.match(/from RUN\n[^]*\nbuilt\n/);
    const container = await buildah.from(id);
    expect(succeeded(await buildah.buildah(['run', container, 'cat', '/data/file'])).stdout).to.equal(
      'built\n',
    );
  });

  action('build says nothing of its own on stderr', async (buildah, id) => {
    const { stderr } = succeeded(await buildah.build(id, ['RUN true'], '--quiet'));
    expect(stderr).not.to.include(buildah.stage.runtime.name);
  });

  action('build with USER, WORKDIR, ENV and ARG', async (buildah, id) => {
    const lines = ['USER alice', 'WORKDIR /tmp', 'ENV X=1', 'ARG Y=2', 'RUN echo "$(id -u) $(pwd) $X $Y"'];
    expect(succeeded(await buildah.build(id, lines)).stdout).to.match(/^1000 \/tmp 1 2$/m);
  });

  action('a step of a build that fails', async (buildah, id) => {
    const { stdout, stderr } = failed(await buildah.build(id, ['RUN echo so far && exit 3']));
    expect(stdout).to.include('so far');
    expect(stderr).to.include('exit status 3');
  });

  action('a command that is not there', async (buildah, id) => {
    const { stderr } = failed(await buildah.build(id, ['RUN ["no-such-command"]']));
    expect(stderr).to.match(/no-such-command.*executable file not found/);
  });

  action('build with a secret and a cache', async (buildah, id) => {
    const secret = join(buildah.stage.folder, `${id}-secret`);
    writeFileSync(secret, 'hush', { mode: 0o644 });
    const lines = [
      'RUN --mount=type=secret,id=s cat /run/secrets/s',
      'RUN --mount=type=tmpfs,target=/mnt touch /mnt/x && grep -c " /mnt tmpfs" /proc/mounts',
    ];
    const { stdout } = succeeded(await buildah.build(id, lines, '--secret', `id=s,src=${secret}`));
    expect(stdout).to.match(/hush[^]*\n1\n/);
  });

  action('build with capabilities, a seccomp profile and limits', async (buildah, id) => {
    const lines = ['RUN grep -E "CapBnd|Seccomp:" /proc/self/status; ulimit -n'];
    const flags = ['--cap-drop', 'all', '--cap-add', 'CHOWN', '--ulimit', 'nofile=300:300'];
    const { stdout } = succeeded(await buildah.build(id, lines, ...flags));
    expect(stdout).to.match(/CapBnd:\t0000000000000001\nSeccomp:\t2\n300\n/);
  });

  action('run, output and exit status', async (buildah) => {
    const container = await buildah.from(buildah.image);
    const result = await buildah.buildah(['run', container, 'sh', '-c', 'echo out; echo err >&2; exit 42']);
    expect(result).to.include({ status: 42, stdout: 'out\n' });
    expect(result.stderr).to.include('err\n');
  });

  action('run with input', async (buildah) => {
    const container = await buildah.from(buildah.image);
    const result = await buildah.buildah(['run', container, 'wc', '-c'], { input: 'x'.repeat(200_000) });
    expect(result).to.include({ status: 0, stdout: '200000\n' });
  });

  action('run on a terminal', async (buildah) => {
    const container = await buildah.from(buildah.image);
    const terminal = buildah.onTerminal(['run', '--tty', container, 'sh']);
    terminal.child.stdin?.write('tty; stty size; echo $((40 + 2))\n');
    await printed(terminal, '42');
    expect(terminal.stdout()).to.include('/dev/pts/0').and.include('24 80');
    terminal.child.stdin?.write('exit 5\n');
    expect(await terminal.ended).to.include({ status: 5 });
    expect(terminal.stdout()).to.include('tty restored');
  });

  action('run with a volume and another user', async (buildah, id) => {
    const folder = join(buildah.stage.folder, `${id}-volume`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'here\n');
    const container = await buildah.from(buildah.image);
    const command = ['sh', '-c', 'cat /mnt/file; id -u; touch /mnt/new'];
    const flags = ['--volume', `${folder}:/mnt:ro`, '--user', 'alice'];
    const result = await buildah.buildah(['run', ...flags, container, ...command]);
    expect(result.stdout).to.equal('here\n1000\n');
    expect(result.stderr).to.include('Read-only file system');
    expect(readFileSync(join(folder, 'file'), 'utf8')).to.equal('here\n');
  });

  action('commit', async (buildah, id) => {
    const container = await buildah.from(buildah.image);
    succeeded(await buildah.buildah(['run', container, 'sh', '-c', 'echo mine >/data/file']));
    succeeded(await buildah.buildah(['commit', '--quiet', container, id]));
    const again = await buildah.from(id);
    expect(succeeded(await buildah.buildah(['run', again, 'cat', '/data/file'])).stdout).to.equal('mine\n');
  });
}

engineSuite('buildah', Buildah.open.bind(Buildah), (action) => {
  actions(action);

  action('run with user namespaces', async (buildah) => {
    const flags = ['--userns-uid-map', '0:200000:2000', '--userns-gid-map', '0:200000:2000'];
    const container = await buildah.from(buildah.image, ...flags);
    const { stdout } = succeeded(await buildah.buildah(['run', container, 'cat', '/proc/self/uid_map']));
    expect(stdout).to.match(/^ +0 +200000 +2000\n$/);
  });
});

engineSuite('buildah (rootless)', Buildah.openRootless.bind(Buildah), actions);
