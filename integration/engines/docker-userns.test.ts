import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { sharedFolder } from '../harness/hooks.ts';
import { isAlive, statusField } from '../harness/processes.ts';
import { until } from '../harness/until.ts';
import { Docker } from './harness/docker.ts';
import { engineSuite } from './harness/suite.ts';

const engine = 'docker (userns-remap)';
const range = { first: 100_000, count: 65_536 };

/** Gives an account of every Debian a range of ids, in our mount namespace alone. */
function lendIds(): void {
  const file = join(sharedFolder(), 'subid');
  writeFileSync(file, `daemon:${range.first}:${range.count}\n`);
  for (const name of ['subuid', 'subgid']) execFileSync('mount', ['--bind', file, `/etc/${name}`]);
}

function takeIdsBack(): void {
  for (const name of ['subuid', 'subgid']) execFileSync('umount', [`/etc/${name}`]);
}

describe(engine, () => {
  before(lendIds);
  after(takeIdsBack);

  engineSuite(
    engine,
    (stage) => Docker.open(stage, { 'userns-remap': 'daemon:daemon' }),
    (action) => {
      action('ids in the container and on the host', async (docker, id) => {
        await docker.start(id);
        const map = await docker.inside(id, 'id -u; cat /proc/self/uid_map; touch /x && stat -c %u /x');
        expect(map).to.match(new RegExp(`^0\n +0 +${range.first} +${range.count}\n0$`));
        const pid = Number(await docker.field(id, 'State.Pid'));
        expect(statusField(pid, 'Uid')).to.equal(Array(4).fill(range.first).join('\t'));
      });

      action('the host does not lend its ids (--userns host)', async (docker) => {
        const seen = await docker.shell('cat /proc/self/uid_map', '--userns', 'host');
        expect(seen.trim()).to.match(/^0 +0 +4294967295$/);
      });

      action('volumes', async (docker, id) => {
        const folder = join(docker.stage.folder, id);
        mkdirSync(folder);
        const script = 'touch /data/x && stat -c %u /data/x; touch /bound/x 2>/dev/null || echo refused';
        const seen = await docker.shell(script, '-v', `${id}:/data`, '-v', `${folder}:/bound`);
        expect(seen).to.equal('0\nrefused');
        const volume = await docker.ok('volume', 'inspect', '--format', '{{.Mountpoint}}', id);
        expect(statSync(join(volume, 'x')).uid).to.equal(range.first);
      });

      action('a read-only root with tmpfs', async (docker) => {
        const flags = ['--read-only', '--tmpfs', '/tmp'];
        const script = 'touch /x 2>/dev/null || echo read-only; touch /tmp/x; stat -c %u /tmp/x';
        expect(await docker.shell(script, ...flags)).to.equal('read-only\n0');
      });

      action('devices', async (docker) => {
        const script = 'echo x > /dev/null; head -c 1 /dev/zero | wc -c; ls -l /dev/fuse | cut -c 1';
        expect(await docker.shell(script, '--device', '/dev/fuse')).to.equal('1\nc');
      });

      action('a bridge network with sysctl', async (docker, id) => {
        await docker.start(id, '--sysctl', 'net.ipv4.ip_forward=0');
        const address = await docker.field(id, 'NetworkSettings.IPAddress');
        expect(await docker.inside(id, 'cat /proc/sys/net/ipv4/ip_forward')).to.equal('0');
        expect(await docker.shell(`ping -c 1 ${address} > /dev/null && echo reached`)).to.equal('reached');
      });

      action('the default seccomp profile', async (docker) => {
        const script = 'grep Seccomp: /proc/self/status; unshare -U true || echo refused';
        expect(await docker.shell(script)).to.equal('Seccomp:\t2\nrefused');
      });

      action('build', async (docker, id) => {
        const folder = join(docker.stage.folder, id);
        mkdirSync(folder);
        writeFileSync(
          join(folder, 'Dockerfile'),
          `FROM ${docker.image}\nRUN id -u > /built\nCMD cat /built\n`,
        );
        await docker.ok('build', '--no-cache', '--tag', id, folder);
        expect(await docker.ok('run', '--rm', id)).to.equal('0');
        await docker.ok('rmi', id);
      });

      // Without live-restore the next daemon ends what the killed one has left.
      action('dockerd killed with a container that runs', async (docker, id) => {
        await docker.start(id, '--stop-timeout', '1');
        const pid = Number(await docker.field(id, 'State.Pid'));
        await docker.daemon.kill();
        expect(isAlive(pid)).to.equal(true);
        await docker.restart();
        await until('the end of the container', () => !isAlive(pid));
        expect(await docker.field(id, 'State.Status')).to.equal('exited');
        await docker.ok('start', id);
        expect(readFileSync(`/proc/${await docker.field(id, 'State.Pid')}/comm`, 'utf8')).to.equal('sleep\n');
      });
    },
  );
});
