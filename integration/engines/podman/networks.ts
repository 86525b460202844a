import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { namespaceOf } from '../../harness/processes.ts';
import { run } from '../../harness/run.ts';
import { succeeded } from '../../harness/scene.ts';
import type { Podman } from '../harness/podman.ts';
import type { DeclareAction } from '../harness/suite.ts';

const serving = ['sh', '-c', 'echo hello >/data/index.html; exec busybox httpd -f -p 80 -h /data'];

/** Starts a container that serves a page, and waits until it does. */
async function server(podman: Podman, id: string, ...flags: string[]): Promise<void> {
  succeeded(await podman.run(id, serving, '--detach', ...flags));
  await podman.untilExec(id, ['busybox', 'wget', '-q', '-O-', 'http://127.0.0.1/']);
}

/** Container networks. */
export function networks(action: DeclareAction<Podman>): void {
  action('network bridge', async (podman, id) => {
    succeeded(await podman.podman(['network', 'create', '--subnet', '10.77.1.0/24', `${id}-net`]));
    await server(podman, id, '--network', `${id}-net`);
    const address = await podman.inspect(id, '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}');
    expect(address).to.match(/^10\.77\.1\.\d+$/);
    const page = ['busybox', 'wget', '-q', '-O-', `http://${address}/`];
    const { stdout } = succeeded(await podman.run(`${id}-two`, page, '--rm', '--network', `${id}-net`));
    expect(stdout).to.equal('hello\n');
    expect(succeeded(await run('busybox', page.slice(1))).stdout).to.equal('hello\n');
  });

  action('a published port', async (podman, id) => {
    succeeded(await podman.podman(['network', 'create', '--subnet', '10.77.2.0/24', `${id}-net`]));
    await server(podman, id, '--network', `${id}-net`, '--publish', '8042:80');
    const page = await run('busybox', ['wget', '-q', '-O-', 'http://10.77.2.1:8042/']);
    expect(succeeded(page).stdout).to.equal('hello\n');
  });

  action('network connect and disconnect', async (podman, id) => {
    for (const number of [3, 4]) {
      const subnet = `10.77.${number}.0/24`;
      succeeded(await podman.podman(['network', 'create', '--subnet', subnet, `${id}-${number}`]));
    }
    await podman.started(id, '--network', `${id}-3`);
    succeeded(await podman.podman(['network', 'connect', `${id}-4`, id]));
    const interfaces = ['grep', '-c', 'eth', '/proc/net/dev'];
    expect(succeeded(await podman.exec(id, interfaces)).stdout).to.equal('2\n');
    succeeded(await podman.podman(['network', 'disconnect', `${id}-4`, id]));
    expect(succeeded(await podman.exec(id, interfaces)).stdout).to.equal('1\n');
  });

  sharedNetworks(action);
}

/** The network of users who may not make one. */
export function plainUserNetworks(action: DeclareAction<Podman>): void {
  action('network slirp4netns, and a published port', async (podman, id) => {
    await server(podman, id, '--network', 'slirp4netns', '--publish', '127.0.0.1:8043:80');
    const routes = succeeded(await podman.exec(id, ['ip', 'route'])).stdout;
    expect(routes).to.match(/^default via 10\.0\.2\.2 dev tap0/);
    const page = await run('busybox', ['wget', '-q', '-O-', 'http://127.0.0.1:8043/']);
    expect(succeeded(page).stdout).to.equal('hello\n');
  });
}

/** Networks that every user may have. */
export function sharedNetworks(action: DeclareAction<Podman>): void {
  action('network host', async (podman, id) => {
    await podman.started(id, '--network', 'host');
    const pid = await podman.pid(id);
    const ours = (name: string): string => readFileSync(`/proc/${name}/net/dev`, 'utf8').replace(/\d/g, '');
    expect(ours(String(pid))).to.equal(ours('self'));
  });

  action('network none', async (podman, id) => {
    const { stdout } = succeeded(await podman.run(id, ['cat', '/proc/net/dev'], '--rm', '--network', 'none'));
    expect(stdout.trim().split('\n')).to.have.lengthOf(3);
    expect(stdout).to.match(/^ +lo:/m);
  });

  action('network of another container', async (podman, id) => {
    await podman.started(id);
    await podman.started(`${id}-two`, '--network', `container:${id}`);
    const [one, two] = await pidsOf(podman, id, `${id}-two`);
    expect(namespaceOf(two, 'net')).to.equal(namespaceOf(one, 'net'));
    expect(namespaceOf(two, 'pid')).not.to.equal(namespaceOf(one, 'pid'));
    succeeded(await podman.podman(['rm', '--force', '--time', '0', `${id}-two`]));
  });

  action('namespaces of another container', async (podman, id) => {
    await podman.started(id, '--ipc', 'shareable');
    const flags = ['--pid', `container:${id}`, '--ipc', `container:${id}`, '--uts', `container:${id}`];
    const { stdout } = succeeded(await podman.run(`${id}-two`, ['ps'], '--rm', ...flags));
    expect(stdout).to.match(/1 root.*sleep 1000/);
  });

  action('a pod', async (podman, id) => {
    succeeded(
      await podman.podman([
        'pod',
        'create',
        ...podman.parent(),
        '--name',
        `${id}-pod`,
        '--share',
        'net,ipc,uts,pid',
        '--infra-command',
        'sleep 1000',
      ]),
    );
    for (const name of ['one', 'two']) {
      const args = [
        'run',
        '--detach',
        '--pod',
        `${id}-pod`,
        '--name',
        `${id}-${name}`,
        podman.image,
        'sleep',
        '1000',
      ];
      succeeded(await podman.podman(args));
    }
    const [one, two] = await pidsOf(podman, `${id}-one`, `${id}-two`);
    for (const name of ['net', 'ipc', 'uts', 'pid'])
      expect(namespaceOf(two, name)).to.equal(namespaceOf(one, name));
    expect(namespaceOf(two, 'mnt')).not.to.equal(namespaceOf(one, 'mnt'));
    succeeded(await podman.podman(['pod', 'stop', '--time', '0', `${id}-pod`]));
    succeeded(await podman.podman(['pod', 'start', `${id}-pod`]));
    succeeded(await podman.exec(`${id}-one`, ['true']));
    succeeded(await podman.podman(['pod', 'rm', '--force', '--time', '0', `${id}-pod`]));
  });
}

async function pidsOf(podman: Podman, first: string, second: string): Promise<[number, number]> {
  return [await podman.pid(first), await podman.pid(second)];
}
