import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { allProcesses, namespaceOf } from '../../harness/processes.ts';
import { printed } from '../../harness/run.ts';
import type { Docker } from '../harness/docker.ts';
import type { DeclareAction } from '../harness/suite.ts';

const ourNamespace = (name: string): string => namespaceOf('self', name);

/** Networks, and namespaces that are shared. */
export function namespaces(action: DeclareAction<Docker>): void {
  // The engine moves the interface in by a prestart hook.
  action('a bridge network', async (docker, id) => {
    await docker.start(id);
    const address = await docker.field(id, 'NetworkSettings.IPAddress');
    expect(await docker.inside(id, 'ifconfig eth0')).to.contain(`inet addr:${address}`);
    expect(await docker.shell(`ping -c 1 ${address} > /dev/null && echo reached`)).to.equal('reached');
  });

  action('a published port', async (docker, id) => {
    const serve = 'echo up; echo hello from inside | nc -l -p 80';
    const flags = ['-d', '--name', id, '-p', '127.0.0.1::80'];
    await docker.ok('run', ...flags, docker.image, 'sh', '-c', serve);
    await printed(docker.follow('logs', '-f', id), 'up\n');
    const port = (await docker.ok('port', id, '80')).replace('127.0.0.1:', '');
    const nc = `until nc 127.0.0.1 ${port} < /dev/null; do sleep 0.05; done`;
    expect(await docker.shell(nc, '--network', 'host')).to.equal('hello from inside');
  });

  action('networks of names', async (docker, id) => {
    await docker.ok('network', 'create', id);
    await docker.start(`${id}-a`, '--network', id, '--network-alias', 'first');
    const script = 'ping -c 1 first > /dev/null && echo reached';
    expect(await docker.shell(script, '--network', id)).to.equal('reached');
    await docker.ok('network', 'disconnect', id, `${id}-a`);
    await docker.ok('network', 'connect', 'bridge', `${id}-a`);
    expect(await docker.inside(`${id}-a`, 'ls /sys/class/net')).to.match(/^eth\d\nlo$/);
    await docker.ok('rm', '--force', `${id}-a`);
    await docker.ok('network', 'rm', id);
  });

  action("the host's network", async (docker) => {
    const seen = await docker.shell('readlink /proc/self/ns/net', '--network', 'host');
    expect(seen).to.equal(ourNamespace('net'));
  });

  action('no network', async (docker) => {
    expect(await docker.shell('ls /sys/class/net', '--network', 'none')).to.equal('lo');
  });

  action("another container's namespaces", async (docker, id) => {
    await docker.start(id, '--ipc', 'shareable');
    const flags = ['network', 'pid', 'ipc'].flatMap((name) => [`--${name}`, `container:${id}`]);
    const links = 'for name in net pid ipc; do readlink /proc/self/ns/$name; done';
    expect(await docker.shell(links, ...flags)).to.equal(await docker.inside(id, links));
    expect(await docker.shell('cat /proc/1/comm', ...flags)).to.equal('sleep');
  });

  action("the host's pid, ipc and uts namespaces", async (docker) => {
    const flags = ['--pid', 'host', '--ipc', 'host', '--uts', 'host'];
    const links = 'for name in pid ipc uts; do readlink /proc/self/ns/$name; done; hostname';
    expect(await docker.shell(links, ...flags)).to.equal(
      [
        ...['pid', 'ipc', 'uts'].map(ourNamespace),
        readFileSync('/proc/sys/kernel/hostname', 'utf8').trim(),
      ].join('\n'),
    );
  });

  action("stop with the host's pid namespace ends every process", async (docker, id) => {
    const script = 'sleep 1234567 & echo up; exec sleep 1000';
    await docker.ok('run', '-d', '--pid', 'host', '--name', id, docker.image, 'sh', '-c', script);
    await printed(docker.follow('logs', '-f', id), 'up\n');
    await docker.ok('kill', id);
    expect(await docker.ok('wait', id)).to.equal('137');
    const left = (): boolean =>
      allProcesses().some(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('1234567'));
    expect(left()).to.equal(false);
  });

  action('a private cgroup namespace', async (docker) => {
    const paths = await docker.shell('cut -d: -f3 /proc/self/cgroup | sort -u', '--cgroupns', 'private');
    expect(paths).to.equal('/');
  });

  action('names of the container', async (docker) => {
    const flags = ['--hostname', 'somebody', '--add-host', 'other:10.1.2.3', '--dns', '10.9.8.7'];
    const script = 'hostname; grep other /etc/hosts; cat /etc/resolv.conf';
    expect(await docker.shell(script, ...flags)).to.equal('somebody\n10.1.2.3\tother\nnameserver 10.9.8.7');
  });
}
