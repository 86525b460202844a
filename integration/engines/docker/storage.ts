import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { hierarchies } from '../../harness/cgroups.ts';
import { failed, succeeded } from '../../harness/scene.ts';
import type { Docker } from '../harness/docker.ts';
import type { DeclareAction } from '../harness/suite.ts';

/** Images and what is mounted. */
export function storage(action: DeclareAction<Docker>): void {
  action('volumes', async (docker, id) => {
    const folder = join(docker.stage.folder, id);
    mkdirSync(folder);
    writeFileSync(join(folder, 'from-host'), 'hello\n');
    const flags = ['-v', `${folder}:/bound`, '-v', `${folder}:/bound-ro:ro`, '-v', `${id}:/data`];
    const script =
      'cat /bound/from-host; echo there > /bound/from-container; touch /data/kept; ' +
      'touch /bound-ro/x 2>/dev/null || echo read-only';
    expect(await docker.shell(script, ...flags)).to.equal('hello\nread-only');
    expect(readFileSync(join(folder, 'from-container'), 'utf8')).to.equal('there\n');
    expect(await docker.shell('ls /data', '-v', `${id}:/data`)).to.equal('kept');
  });

  action('a bind source that is not there', async (docker) => {
    const flags = ['--rm', '--mount', 'type=bind,src=/no/such/folder,dst=/mnt'];
    const { status, stderr } = failed(await docker.docker(['run', ...flags, docker.image, 'true']));
    expect(status).to.equal(125);
    expect(stderr).to.contain('/no/such/folder');
  });

  action('a read-only root with tmpfs', async (docker) => {
    const flags = ['--read-only', '--tmpfs', '/tmp:size=1m,noexec'];
    const script = 'touch /x 2>/dev/null || echo read-only; touch /tmp/x; grep " /tmp " /proc/mounts';
    expect(await docker.shell(script, ...flags)).to.match(
      /^read-only\ntmpfs \/tmp tmpfs .*noexec.*size=1024k/,
    );
  });

  action('the size of /dev/shm', async (docker) => {
    const seen = await docker.shell('df -k /dev/shm | tail -n 1', '--shm-size', '2m');
    expect(seen).to.match(/^shm +2048 /);
  });

  action('mount propagation', async (docker, id) => {
    const folder = join(docker.stage.folder, id);
    mkdirSync(folder);
    const script = 'grep " /mnt " /proc/self/mountinfo | grep -o "master:\\|shared:"';
    const mount = (how: string): string[] => ['-v', `${docker.sharedMount(folder)}:/mnt:${how}`];
    expect(await docker.shell(script, ...mount('rslave'))).to.equal('master:');
    expect(await docker.shell(script, ...mount('rshared'))).to.equal('shared:');
  });

  action('build', async (docker, id) => {
    const folder = join(docker.stage.folder, id);
    mkdirSync(folder);
    writeFileSync(join(folder, 'copied'), 'copied\n');
    writeFileSync(
      join(folder, 'Dockerfile'),
      `FROM ${docker.image}
COPY copied /copied
RUN id -un > /built && cat /copied >> /built
USER alice
WORKDIR /tmp
RUN id -un > by-alice
CMD cat /built by-alice
`,
    );
    await docker.ok('build', '--no-cache', '--tag', id, folder);
    expect(await docker.ok('run', '--rm', id)).to.equal('root\ncopied\nalice');
    await docker.ok('rmi', id);
  });

  action('build with BuildKit', async (docker, id) => {
    const folder = join(docker.stage.folder, id);
    mkdirSync(folder);
    writeFileSync(join(folder, 'Dockerfile'), `FROM ${docker.image}\nRUN id -un > /built\nCMD cat /built\n`);
    const build = ['build', '--no-cache', '--progress', 'plain', '--tag', id, folder];
    succeeded(await docker.docker(build, { env: { DOCKER_BUILDKIT: '1' } }));
    expect(await docker.ok('run', '--rm', id)).to.equal('root');
    await docker.ok('rmi', id);
    // It keeps the one cgroup its containers have in common.
    for (const hierarchy of hierarchies()) {
      const cgroup = join(hierarchy, docker.stage.name, 'buildkit');
      if (existsSync(cgroup)) rmdirSync(cgroup);
    }
  });

  action('a build that fails', async (docker, id) => {
    const folder = join(docker.stage.folder, id);
    mkdirSync(folder);
    writeFileSync(join(folder, 'Dockerfile'), `FROM ${docker.image}\nRUN exit 3\n`);
    const { stderr } = failed(await docker.docker(['build', '--no-cache', '--force-rm', folder]));
    expect(stderr).to.match(/returned a non-zero code: 3/);
  });
}
