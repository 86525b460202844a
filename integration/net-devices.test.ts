import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { Linux } from '../lib/config/types.ts';
import { shareNamespace } from './harness/config.ts';
import { tsrun } from './harness/programs.ts';
import { background, printed, type Result, run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';

interface Device {
  ifname: string;
  flags: string[];
  mtu: number;
  address: string;
  addr_info: { local: string; prefixlen: number; scope: string; label?: string; broadcast?: string }[];
}

/** A network namespace in the place of the host's, so that a test touches no interface but its own. */
class Network {
  readonly pid: number;
  readonly #scene: Scene;

  constructor(scene: Scene, pid: number) {
    this.#scene = scene;
    this.pid = pid;
  }

  async ip(...args: string[]): Promise<string> {
    return succeeded(await run('nsenter', [`--net=/proc/${this.pid}/ns/net`, 'ip', ...args])).stdout;
  }

  /** A pair of devices; the first is the one that moves. */
  async pair(name: string, ...addresses: string[]): Promise<void> {
    await this.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `p-${name}`);
    for (const address of addresses) await this.ip('addr', 'add', ...address.split(' '), 'dev', name);
  }

  async devices(): Promise<Map<string, Device>> {
    const list = JSON.parse(await this.ip('-json', 'addr')) as Device[];
    return new Map(list.map((device) => [device.ifname, device]));
  }

  /** tsrun as if this namespace were the host's. */
  async tsrun(...args: string[]): Promise<Result> {
    const command = [`--net=/proc/${this.pid}/ns/net`, tsrun, '--root', this.#scene.root, ...args];
    return await run('nsenter', command, { cwd: this.#scene.folder });
  }

  /** Creates a container with these devices; returns its network. */
  async create(id: string, netDevices: Linux['netDevices'], edit?: Edit): Promise<Network> {
    this.#scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.linux.netDevices = netDevices ?? {};
      edit?.(config);
    });
    this.#scene.owns(id);
    succeeded(await this.tsrun('create', '--bundle', this.#scene.bundle, id));
    return new Network(this.#scene, (await this.#scene.state(id)).pid ?? 0);
  }

  /** Checks that a container with these devices cannot be created; returns why. */
  async refusal(netDevices: Linux['netDevices'], edit?: Edit): Promise<string> {
    this.#scene.configure((config) => {
      config.linux.netDevices = netDevices ?? {};
      edit?.(config);
    });
    const { bundle } = this.#scene;
    return failed(await this.tsrun('create', '--bundle', bundle, this.#scene.id())).stderr;
  }
}

async function network(scene: Scene): Promise<Network> {
  const holder = scene.keep(background('unshare', ['--net', 'sh', '-c', 'echo ready; read _']));
  await printed(holder, 'ready');
  return new Network(scene, holder.child.pid ?? 0);
}

/** Addresses as `ip addr add` takes them. */
function addressesOf(device: Device | undefined): string[] {
  return (device?.addr_info ?? [])
    .filter(({ scope }) => scope === 'global')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

function needsTools(): string | undefined {
  const { status } = spawnSync('unshare', '--net ip link add one0 type veth'.split(' '));
  return status === 0 ? undefined : 'ip(8) cannot make veth devices here (iproute2, kernel module veth)';
}

const wholeMap = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

describe('network devices', () => {
  scenario(
    'network devices move with their addresses and are brought up',
    async (scene) => {
      const host = await network(scene);
      await host.pair('w0', '10.9.0.1/24 broadcast 10.9.0.255', '10.9.0.2/24', '2001:db8::7/64 nodad');
      await host.ip('link', 'set', 'w0', 'mtu', '1280');
      const before = (await host.devices()).get('w0');
      const inside = await host.create(scene.id(), { w0: {} });
      const after = (await inside.devices()).get('w0');
      expect(addressesOf(after)).to.deep.equal(['10.9.0.1/24', '10.9.0.2/24', '2001:db8::7/64']);
      expect(after?.addr_info[0]).to.include({ broadcast: '10.9.0.255', label: 'w0' });
      expect(after?.flags).to.include('UP');
      expect(after).to.include({ mtu: 1280, address: before?.address });
      expect([...(await host.devices()).keys()]).not.to.include('w0');
    },
    needsTools,
  );

  scenario(
    'network devices leave behind addresses that are not permanent or not global',
    async (scene) => {
      const host = await network(scene);
      await host.pair(
        'w0',
        '10.9.1.1/24',
        '10.9.2.1/24 scope link',
        '10.9.3.1/24 valid_lft 1000 preferred_lft 900',
      );
      const inside = await host.create(scene.id(), { w0: {} });
      const { addr_info: addresses = [] } = (await inside.devices()).get('w0') ?? {};
      expect(
        addresses.filter(({ local }) => local.startsWith('10.')).map(({ local }) => local),
      ).to.deep.equal(['10.9.1.1']);
    },
    needsTools,
  );

  scenario(
    'network devices get the names of the config, and so do labels of addresses',
    async (scene) => {
      const host = await network(scene);
      const long = 'fifteen-bytes-x';
      await host.pair('w0', '10.9.0.1/24 label w0:one');
      await host.pair('w1', '10.9.1.1/24');
      await host.pair('w2', '10.9.2.1/24');
      await host.pair('w3');
      const inside = await host.create(scene.id(), {
        w0: { name: 'w1' },
        w1: { name: 'w0' },
        w2: { name: long },
        w3: { name: 'net%d' },
      });
      const devices = await inside.devices();
      expect([...devices.keys()].toSorted()).to.deep.equal(['lo', 'w0', 'w1', long, 'net0'].toSorted());
      expect(devices.get('w1')?.addr_info[0]).to.include({ local: '10.9.0.1', label: 'w1:one' });
      expect(addressesOf(devices.get('w0'))).to.deep.equal(['10.9.1.1/24']);
      expect(addressesOf(devices.get(long))).to.deep.equal(['10.9.2.1/24']);
    },
    needsTools,
  );

  scenario(
    'network devices move into a container with a user namespace',
    async (scene) => {
      const host = await network(scene);
      await host.pair('w0', '10.9.0.1/24');
      const inside = await host.create(scene.id(), { w0: { name: 'eth0' } }, (config) => {
        config.linux.namespaces.push({ type: 'user' });
        config.linux.uidMappings = config.linux.gidMappings = wholeMap;
      });
      expect(addressesOf((await inside.devices()).get('eth0'))).to.deep.equal(['10.9.0.1/24']);
    },
    needsTools,
  );

  scenario(
    'missing network devices are named, and the others stay',
    async (scene) => {
      const host = await network(scene);
      await host.pair('w0', '10.9.0.1/24');
      const message = await host.refusal({ w0: {}, missing0: {} });
      expect(message).to.match(
        /config\.json:\d+:\d+: \/linux\/netDevices\/missing0.*no network device missing0/,
      );
      expect(addressesOf((await host.devices()).get('w0'))).to.deep.equal(['10.9.0.1/24']);
    },
    needsTools,
  );

  scenario(
    'network devices with a name that is taken in a joined namespace are refused',
    async (scene) => {
      const host = await network(scene);
      const other = await network(scene);
      await host.pair('w0', '10.9.0.1/24');
      await other.pair('eth0');
      const join: Edit = (config) => {
        shareNamespace(config, 'network');
        config.linux.namespaces.push({ type: 'network', path: `/proc/${other.pid}/ns/net` });
      };
      const message = await host.refusal({ w0: { name: 'eth0' } }, join);
      expect(message).to.match(/\/linux\/netDevices\/w0.*there is a network device eth0/);
      expect([...(await host.devices()).keys()]).to.include('w0');
      const inside = await host.create(scene.id(), { w0: { name: 'eth%d' } }, join);
      expect(addressesOf((await inside.devices()).get('eth1'))).to.deep.equal(['10.9.0.1/24']);
    },
    needsTools,
  );

  scenario(
    'network devices are refused without a network namespace, and for that of tsrun',
    async (scene) => {
      const host = await network(scene);
      await host.pair('w0');
      const shared: Edit = (config) => {
        shareNamespace(config, 'network');
        config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs');
        config.linux.maskedPaths = [];
      };
      expect(await host.refusal({ w0: {} }, shared)).to.match(
        /\/linux\/netDevices.*namespace of type "network"/,
      );
      const joined = await host.refusal({ w0: { name: 'w9' } }, (config) => {
        shared(config);
        config.linux.namespaces.push({ type: 'network', path: `/proc/${host.pid}/ns/net` });
      });
      expect(joined).to.match(/\/linux\/netDevices.*no network namespace of its own/);
      expect([...(await host.devices()).keys()]).to.include('w0');
    },
    needsTools,
  );

  scenario(
    'network devices come back as they were when create fails',
    async (scene) => {
      const host = await network(scene);
      await host.pair('w0', '10.9.0.1/24 label w0:one', '2001:db8::7/64 nodad');
      await host.pair('w1', '10.9.1.1/24');
      await host.ip('link', 'set', 'w0', 'up');
      const message = await host.refusal({ w0: { name: 'eth0' }, w1: {} }, (config) => {
        config.process.args = ['/no/such/program'];
      });
      expect(message).to.include('/no/such/program');
      const devices = await host.devices();
      expect(addressesOf(devices.get('w0'))).to.deep.equal(['10.9.0.1/24', '2001:db8::7/64']);
      expect(devices.get('w0')?.addr_info[0]).to.include({ label: 'w0:one' });
      expect(devices.get('w0')?.flags).to.include('UP');
      expect(addressesOf(devices.get('w1'))).to.deep.equal(['10.9.1.1/24']);
      expect(devices.get('w1')?.flags).not.to.include('UP');
    },
    needsTools,
  );

  scenario(
    'a network device that cannot move is an error, and those that moved before come back',
    async (scene) => {
      const host = await network(scene);
      const other = await network(scene);
      await host.pair('w0', '10.9.0.1/24');
      await host.pair('w1', '2001:db8::7/64 nodad');
      await run('nsenter', [
        `--net=/proc/${other.pid}/ns/net`,
        'sysctl',
        '-qw',
        'net.ipv6.conf.default.disable_ipv6=1',
        'net.ipv6.conf.all.disable_ipv6=1',
      ]);
      const message = await host.refusal({ w0: { name: 'eth0' }, w1: {} }, (config) => {
        shareNamespace(config, 'network');
        config.linux.namespaces.push({ type: 'network', path: `/proc/${other.pid}/ns/net` });
      });
      expect(message).to.match(/\/linux\/netDevices\/w1.*address 2001:db8:.*7\/64/);
      expect(message).to.match(/hint: .*IPv6/);
      const devices = await host.devices();
      expect(addressesOf(devices.get('w0'))).to.deep.equal(['10.9.0.1/24']);
      expect(addressesOf(devices.get('w1'))).to.deep.equal(['2001:db8::7/64']);
      expect([...(await other.devices()).keys()]).to.deep.equal(['lo']);
    },
    needsTools,
  );
});
