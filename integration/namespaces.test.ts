import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { NamespaceType } from '../lib/config/types.ts';
import { membership } from './harness/cgroups.ts';
import { setCapabilities, shareNamespace } from './harness/config.ts';
import { namespaceOf } from './harness/processes.ts';
import { sharedFolder } from './harness/hooks.ts';
import { compileProgram, tsrun } from './harness/programs.ts';
import { scenario } from './harness/scenario.ts';
import { background, printed, run } from './harness/run.ts';
import { type Edit, failed, type Scene, succeeded } from './harness/scene.ts';
import { until } from './harness/until.ts';

/** Kinds of namespace by their name in the config, and the name in /proc/<pid>/ns. */
const kinds: readonly (readonly [NamespaceType, string])[] = [
  ['pid', 'pid'],
  ['network', 'net'],
  ['mount', 'mnt'],
  ['ipc', 'ipc'],
  ['uts', 'uts'],
  ['cgroup', 'cgroup'],
  ['user', 'user'],
  ['time', 'time'],
];

const wholeMap = [{ containerID: 0, hostID: 0, size: 65536 }];

/** Starts a process in new namespaces of its own, to be joined by path. */
async function namespaceHolder(scene: Scene, flags: readonly string[]): Promise<number> {
  const holder = scene.keep(background('unshare', [...flags, 'sh', '-c', 'echo ready; read _']));
  await printed(holder, 'ready');
  const { pid } = holder.child;
  if (pid === undefined) throw new Error('unshare did not start');
  return pid;
}

describe('namespaces', () => {
  for (const [type, name] of kinds) {
    scenario(`a new ${type} namespace`, async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        if (!config.linux.namespaces.some((namespace) => namespace.type === type)) {
          config.linux.namespaces.push({ type });
        }
        if (type === 'user') config.linux.uidMappings = config.linux.gidMappings = wholeMap;
      });
      const pid = await scene.create(id);
      await scene.start(id);
      expect(namespaceOf(pid, name)).not.to.equal(namespaceOf('self', name));
    });
  }

  for (const [type, name] of kinds) {
    if (type === 'mount') continue;
    scenario(`without ${type} in the config the host's is shared`, async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        shareNamespace(config, type);
        if (type === 'uts') config.hostname = '';
        if (type === 'uts') Reflect.deleteProperty(config, 'hostname');
        // sysfs belongs to a network namespace: the host's can only be bind-mounted.
        if (type === 'network') config.mounts = config.mounts.filter(({ type: fs }) => fs !== 'sysfs');
        if (type === 'network') config.linux.maskedPaths = [];
      });
      const pid = await scene.create(id);
      await scene.start(id);
      expect(namespaceOf(pid, name)).to.equal(namespaceOf('self', name));
    });
  }

  for (const [type, name, flag] of [
    ['network', 'net', '--net'],
    ['ipc', 'ipc', '--ipc'],
    ['uts', 'uts', '--uts'],
    ['cgroup', 'cgroup', '--cgroup'],
  ] as const) {
    scenario(`joins the ${type} namespace at a path`, async (scene) => {
      const holder = await namespaceHolder(scene, [flag]);
      const id = scene.id();
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        if (type === 'uts') Reflect.deleteProperty(config, 'hostname');
        shareNamespace(config, type);
        config.linux.namespaces.push({ type, path: `/proc/${holder}/ns/${name}` });
      });
      const pid = await scene.create(id);
      expect(namespaceOf(pid, name)).to.equal(namespaceOf(holder, name));
      expect(namespaceOf(pid, name)).not.to.equal(namespaceOf('self', name));
    });
  }

  scenario('joins the pid namespace at a path', async (scene) => {
    const first = scene.id();
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const holder = await scene.create(first);
    const second = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      shareNamespace(config, 'pid');
      config.linux.namespaces.push({ type: 'pid', path: `/proc/${holder}/ns/pid` });
    });
    const pid = await scene.create(second);
    expect(namespaceOf(pid, 'pid')).to.equal(namespaceOf(holder, 'pid'));
  });

  scenario('joins a user namespace together with the network namespace it owns', async (scene) => {
    const first = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = config.linux.gidMappings = wholeMap;
    });
    const holder = await scene.create(first);
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      shareNamespace(config, 'network');
      config.linux.namespaces.push({ type: 'user', path: `/proc/${holder}/ns/user` });
      config.linux.namespaces.push({ type: 'network', path: `/proc/${holder}/ns/net` });
    });
    const pid = await scene.create(id);
    expect(namespaceOf(pid, 'user')).to.equal(namespaceOf(holder, 'user'));
    expect(namespaceOf(pid, 'net')).to.equal(namespaceOf(holder, 'net'));
  });

  scenario('a path that is a namespace of another kind is an error naming both', async (scene) => {
    const { stderr } = await scene.failure((config) => {
      shareNamespace(config, 'ipc');
      config.linux.namespaces.push({ type: 'ipc', path: '/proc/1/ns/net' });
    });
    expect(stderr).to.contain('/proc/1/ns/net').and.match(/ipc/);
    expect(stderr).to.match(/linux[./]namespaces/);
  });

  scenario('a path that is no namespace, does not exist or is a FIFO is an error', async (scene) => {
    scene.configure();
    for (const path of ['/etc/passwd', '/nowhere/at/all', '/dev/null']) {
      const { stderr } = await scene.failure((config) => {
        shareNamespace(config, 'ipc');
        config.linux.namespaces.push({ type: 'ipc', path });
      });
      expect(stderr).to.contain(path);
    }
  });

  scenario('the same namespace twice, and an unknown one, are errors', async (scene) => {
    const twice = await scene.failure((config) => config.linux.namespaces.push({ type: 'pid' }));
    expect(twice.stderr).to.match(/pid/);
    const unknown = await scene.failure((config) => {
      config.linux.namespaces.push({ type: 'colour' as NamespaceType });
    });
    expect(unknown.stderr).to.match(/colour/);
  });

  scenario('the first process is pid 1 and loopback is up', async (scene) => {
    const output = await scene.shell('echo $$; ifconfig lo; echo ===; cat /proc/net/dev');
    expect(output)
      .to.match(/^1\n/)
      .and.match(/UP LOOPBACK RUNNING/);
    expect(
      output
        .split('===')[1]
        ?.match(/^\s*\w+:/gm)
        ?.map((name) => name.trim()),
    ).to.deep.equal(['lo:']);
  });

  scenario('hostname and domainname, the host untouched', async (scene) => {
    const before = [
      readFileSync('/proc/sys/kernel/hostname', 'utf8'),
      readFileSync('/proc/sys/kernel/domainname', 'utf8'),
    ];
    const output = await scene.shell(
      'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname',
      (config) => {
        config.hostname = 'somewhere';
        config.domainname = 'example.org';
      },
    );
    expect(output).to.equal('somewhere\nexample.org\n');
    expect([
      readFileSync('/proc/sys/kernel/hostname', 'utf8'),
      readFileSync('/proc/sys/kernel/domainname', 'utf8'),
    ]).to.deep.equal(before);
  });

  scenario('the longest hostname and domainname', async (scene) => {
    const [host, domain] = ['h'.repeat(64), 'd'.repeat(64)];
    const output = await scene.shell(
      'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname',
      (config) => {
        config.hostname = host;
        config.domainname = domain;
      },
    );
    expect(output).to.equal(`${host}\n${domain}\n`);
  });

  scenario('hostname without a uts namespace would change the host and is refused', async (scene) => {
    const { stderr } = await scene.failure((config) => {
      shareNamespace(config, 'uts');
    });
    expect(stderr)
      .to.match(/hostname/)
      .and.match(/uts/i);
  });

  scenario('several uid and gid mappings', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.process.user = { uid: 1000, gid: 1001 };
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = [
        { containerID: 0, hostID: 0, size: 1 },
        { containerID: 1, hostID: 200_000, size: 5000 },
        { containerID: 70_000, hostID: 300_000, size: 7 },
      ];
      config.linux.gidMappings = [
        { containerID: 0, hostID: 0, size: 10 },
        { containerID: 1000, hostID: 400_000, size: 3 },
      ];
    });
    const pid = await scene.create(id);
    const maps = (name: string): number[][] =>
      readFileSync(`/proc/${pid}/${name}`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).map(Number));
    expect(maps('uid_map')).to.deep.equal([
      [0, 0, 1],
      [1, 200_000, 5000],
      [70_000, 300_000, 7],
    ]);
    expect(maps('gid_map')).to.deep.equal([
      [0, 0, 10],
      [1000, 400_000, 3],
    ]);
    await scene.start(id);
    await until('execve', () => readlinkSync(`/proc/${pid}/exe`).endsWith('/bin/busybox'));
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status)
      .to.match(/^Uid:\s+200999\s/m)
      .and.match(/^Gid:\s+400001\s/m);
  });

  scenario('root of a user namespace has no power outside', async (scene) => {
    const output = await scene
      .shell(
        'id -u; touch /file; stat -c %u /file; dmesg 2>&1 | head -1; echo x > /proc/sysrq-trigger',
        (config) => {
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 65536 }];
          setCapabilities(config, ['CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE']);
        },
      )
      .catch((error: unknown) => String(error));
    expect(output).to.contain('0\n0\n');
  });

  for (const [title, hostID] of [
    ['its own root', 300_000],
    ['root of the host', 0],
  ] as const) {
    scenario(`what is mounted in a user namespace belongs to its root, who is ${title}`, async (scene) => {
      const output = await scene.shell('stat -c "%u:%g %n" /dev /dev/mqueue /dev/shm /dev/pts', (config) => {
        config.linux.namespaces.push({ type: 'user' });
        config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID, size: 65_536 }];
        execFileSync('chown', ['-hR', `${hostID}:${hostID}`, scene.rootfs]);
      });
      expect(output).to.equal('0:0 /dev\n0:0 /dev/mqueue\n0:0 /dev/shm\n0:0 /dev/pts\n');
    });
  }

  scenario(
    'user namespace without mappings, and mappings without user namespace, are errors',
    async (scene) => {
      const unmapped = await scene.failure((config) => {
        config.linux.namespaces.push({ type: 'user' });
      });
      expect(unmapped.stderr).to.match(/\/linux\/uidMappings.*mappings/);
      const halfMapped = await scene.failure((config) => {
        config.linux.namespaces.push({ type: 'user' });
        config.linux.uidMappings = wholeMap;
      });
      expect(halfMapped.stderr).to.match(/\/linux\/gidMappings.*mappings/);
      const needless = await scene.failure((config) => {
        config.linux.uidMappings = config.linux.gidMappings = wholeMap;
      });
      expect(needless.stderr).to.match(/\/linux\/uidMappings.*user/);
    },
  );

  scenario('time namespace offsets', async (scene) => {
    const script = 'cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets';
    const output = await scene.shell(script, (config) => {
      config.linux.namespaces.push({ type: 'time' });
      config.linux.timeOffsets = {
        boottime: { secs: 1_000_000, nanosecs: 0 },
        monotonic: { secs: 2_000_000 },
      };
    });
    const host = Number(readFileSync('/proc/uptime', 'utf8').split('.')[0]);
    expect(Number(output.split('\n')[0])).to.be.within(host + 1_000_000 - 60, host + 1_000_000 + 60);
    expect(output)
      .to.match(/monotonic\s+2000000\s+0/)
      .and.match(/boottime\s+1000000\s+0/);
  });

  for (const user of ['joined', 'new'] as const) {
    scenario(
      `time offsets beside strangers in its pid namespace, its user namespace ${user}`,
      async (scene) => {
        const hidden = compileProgram('stay-hidden', sharedFolder());
        const maps = [{ containerID: 0, hostID: 100_000, size: 65536 }];
        const first = scene.id();
        scene.configure((config) => {
          config.process.args = ['sleep', '1000'];
          if (user === 'new') return;
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = config.linux.gidMappings = maps;
        });
        const pid = await scene.create(first);
        scene.configure((config) => {
          config.process.args = ['cat', '/proc/self/timens_offsets'];
          const join = (type: NamespaceType): string => `/proc/${pid}/ns/${type}`;
          config.linux.namespaces = [
            ...config.linux.namespaces.filter(({ type }) => type !== 'pid'),
            { type: 'pid', path: join('pid') },
            user === 'new' ? { type: 'user' } : { type: 'user', path: join('user') },
            { type: 'time' },
          ];
          if (user === 'new') {
            config.linux.uidMappings = config.linux.gidMappings = maps;
            // A new procfs is for who owns the pid namespace.
            config.mounts = config.mounts.filter(({ type }) => type !== 'proc');
            config.mounts.push({ destination: '/proc', type: 'bind', source: '/proc', options: ['rbind'] });
          }
          config.linux.timeOffsets = { boottime: { secs: 1_000_000 } };
        });
        const args = ['--root', scene.root, 'run', '--bundle', scene.bundle, scene.id()];
        const { stdout } = succeeded(await run(hidden, [tsrun, ...args]));
        expect(stdout).to.match(/boottime\s+1000000\s+0/);
      },
    );
  }

  scenario('joins the user namespace of another container, whose root is nobody outside', async (scene) => {
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65536 }];
      config.linux.gidMappings = config.linux.uidMappings;
    });
    const pid = await scene.create(scene.id());
    const second = scene.id();
    scene.configure((config) => {
      config.process.args = ['sleep', '1000'];
      config.linux.namespaces.push({ type: 'user', path: `/proc/${pid}/ns/user` });
    });
    const joined = await scene.create(second);
    expect(namespaceOf(joined, 'user')).to.equal(namespaceOf(pid, 'user'));
    for (const line of membership(joined)) expect(line).to.contain(second);
  });

  describe('a pid namespace that is joined together with a user namespace', () => {
    type Owner = 'the host' | 'the user namespace';

    /** Configures the bundle to join a pid namespace that belongs to `owner`; returns who is in each namespace. */
    const joinBoth = async (
      scene: Scene,
      owner: Owner,
      edit?: Edit,
    ): Promise<Record<'pid' | 'user', number>> => {
      const holder = async (inUserNamespace: boolean): Promise<number> => {
        scene.configure((config) => {
          config.process.args = ['sleep', '1000'];
          if (!inUserNamespace) return;
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = config.linux.gidMappings = wholeMap;
        });
        return scene.create(scene.id());
      };
      const user = await holder(true);
      const pid = owner === 'the host' ? await holder(false) : user;
      scene.configure((config) => {
        config.process.args = ['sleep', '1000'];
        shareNamespace(config, 'pid');
        config.linux.namespaces.push(
          { type: 'pid', path: `/proc/${pid}/ns/pid` },
          { type: 'user', path: `/proc/${user}/ns/user` },
        );
        // A new procfs is for who owns the pid namespace.
        config.mounts = config.mounts.filter(({ type }) => type !== 'proc');
        config.mounts.push({ destination: '/proc', type: 'bind', source: '/proc', options: ['rbind'] });
        edit?.(config);
      });
      return { pid, user };
    };

    for (const owner of ['the host', 'the user namespace'] as const) {
      scenario(`may belong to ${owner}`, async (scene) => {
        const id = scene.id();
        const { pid, user } = await joinBoth(scene, owner);
        const joined = await scene.create(id);
        expect(namespaceOf(joined, 'pid')).to.equal(namespaceOf(pid, 'pid'));
        expect(namespaceOf(joined, 'user')).to.equal(namespaceOf(user, 'user'));
        await scene.start(id);
        const inode = ['stat', '-L', '-c', '%i', '/proc/self/ns/user'];
        const { stdout } = succeeded(await scene.tsrun(['exec', id, ...inode]));
        expect(namespaceOf(user, 'user')).to.contain(stdout.trim());
      });
    }

    scenario('gets createContainer hooks only where its processes do not see them', async (scene) => {
      const said = scene.path('hook');
      const hook = { path: '/bin/sh', args: ['sh', '-c', `readlink /proc/self/ns/pid >${said}`] };
      const withHook: Edit = (config) => (config.hooks = { createContainer: [hook] });
      await joinBoth(scene, 'the user namespace', withHook);
      await scene.create(scene.id());
      expect(readFileSync(said, 'utf8').trim()).to.equal(namespaceOf('self', 'pid'));
      writeFileSync(said, '');
      await joinBoth(scene, 'the host', withHook);
      const { stderr } = failed(await scene.run());
      expect(stderr).to.include('/linux/namespaces').and.to.include('createContainer hooks');
      expect(readFileSync(said, 'utf8')).to.equal('');
    });

    scenario('gets no new procfs where it belongs to the host', async (scene) => {
      await joinBoth(scene, 'the host', (config) => {
        config.mounts = [{ destination: '/proc', type: 'proc', source: 'proc' }];
      });
      const { stderr } = failed(await scene.run());
      expect(stderr).to.include('/mounts/0').and.to.include('EPERM');
    });
  });

  scenario('a reason given at once is told, whatever is joined', async (scene) => {
    const holder = await namespaceHolder(scene, ['--pid', '--fork']);
    for (let i = 0; i < 5; i++) {
      const { stderr } = await scene.failure((config) => {
        shareNamespace(config, 'pid');
        shareNamespace(config, 'ipc');
        config.linux.namespaces.push(
          { type: 'pid', path: `/proc/${holder}/ns/pid_for_children` },
          { type: 'ipc', path: '/nowhere/at/all' },
        );
      });
      expect(stderr).to.include('/nowhere/at/all').and.to.include('no such file or directory');
    }
  });

  scenario('time offsets without a time namespace are an error', async (scene) => {
    const { stderr } = await scene.failure((config) => {
      config.linux.timeOffsets = { boottime: { secs: 1 } };
    });
    expect(stderr).to.match(/\/linux\/timeOffsets.*namespace/);
  });

  scenario('a cgroup namespace has the container at its root', async (scene) => {
    const output = await scene.shell('cat /proc/self/cgroup', (config) => {
      config.linux.namespaces.push({ type: 'cgroup' });
    });
    for (const line of output.trim().split('\n')) expect(line).to.match(/:\/$/);
  });

  scenario('sharing every namespace but the mount one works', async (scene) => {
    const output = await scene.shell('cat /etc/passwd | head -1; echo $$', (config) => {
      config.linux.namespaces = [{ type: 'mount' }];
      Reflect.deleteProperty(config, 'hostname');
      config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs' && type !== 'mqueue');
      config.linux.maskedPaths = [];
      config.linux.readonlyPaths = [];
    });
    expect(output).to.match(/^root:x:0/);
    expect(Number(output.trim().split('\n')[1])).to.be.greaterThan(1);
  });
});
