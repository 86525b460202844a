import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { setCapabilities, type TestConfig } from './harness/config.ts';
import { scenario } from './harness/scenario.ts';

const defaults: readonly (readonly [string, string])[] = [
  ['null', '1:3'],
  ['zero', '1:5'],
  ['full', '1:7'],
  ['random', '1:8'],
  ['urandom', '1:9'],
  ['tty', '5:0'],
];

function statScript(paths: readonly string[]): string {
  return `stat -c "%n %F %t:%T %a %u %g" ${paths.join(' ')}`;
}

describe('devices', () => {
  scenario('every user may open the default devices', async (scene) => {
    const output = await scene.shell(statScript(defaults.map(([name]) => `/dev/${name}`)));
    expect(output.trim().split('\n')).to.deep.equal(
      defaults.map(([name, numbers]) => `/dev/${name} character special file ${numbers} 666 0 0`),
    );
  });

  scenario('the default devices work', async (scene) => {
    const script = [
      'echo x > /dev/null && wc -c < /dev/null',
      'head -c 4 /dev/zero | od -An -tx1',
      'head -c 8 /dev/random | wc -c',
      'head -c 8 /dev/urandom | wc -c',
      '(echo x > /dev/full) 2>&1',
      // Without a terminal there is none to open, but it may be tried.
      '(: < /dev/tty) 2>&1',
    ];
    const output = await scene.shell(`${script.join('; ')}; true`);
    const [none, zeros, random, urandom, full, tty] = output.split('\n');
    expect([none, zeros, random, urandom]).to.deep.equal(['0', ' 00 00 00 00', '8', '8']);
    expect(full).to.contain('No space left on device');
    expect(tty).to.contain('No such device or address');
  });

  scenario('the default links of /dev exist', async (scene) => {
    const output = await scene.shell(
      'for l in fd stdin stdout stderr ptmx core; do echo $l $(readlink /dev/$l); done',
    );
    expect(output).to.contain(
      'fd /proc/self/fd\nstdin /proc/self/fd/0\nstdout /proc/self/fd/1\nstderr /proc/self/fd/2\nptmx pts/ptmx\n',
    );
  });

  scenario('/dev/ptmx is the devpts of the container', async (scene) => {
    const output = await scene.shell('stat -L -c %t:%T /dev/ptmx; ls /dev/pts');
    expect(output).to.equal('5:2\nptmx\n');
  });

  scenario('linux.devices: character, block and FIFO with mode and owner', async (scene) => {
    const output = await scene.shell(statScript(['/dev/mine', '/dev/deep/block', '/dev/pipe']), (config) => {
      config.linux.devices = [
        { type: 'c', path: '/dev/mine', major: 10, minor: 229, fileMode: 0o640, uid: 7, gid: 8 },
        { type: 'b', path: '/dev/deep/block', major: 7, minor: 99, fileMode: 0o600 },
        { type: 'p', path: '/dev/pipe', fileMode: 0o622 },
      ];
    });
    expect(output).to.equal(
      '/dev/mine character special file a:e5 640 7 8\n/dev/deep/block block special file 7:63 600 0 0\n/dev/pipe fifo 0:0 622 0 0\n',
    );
  });

  scenario('the umask of the caller does not count', async (scene) => {
    const id = scene.id();
    scene.configure((config) => {
      config.process.args = ['stat', '-c', '%a', '/dev/mine', '/dev/null'];
      config.linux.devices = [{ type: 'c', path: '/dev/mine', major: 1, minor: 3, fileMode: 0o666 }];
    });
    const script = `umask 077; exec "$0" --root "$1" run --bundle "$2" "$3"`;
    const { tsrun } = await import('./harness/programs.ts');
    const output = execFileSync('sh', ['-c', script, tsrun, scene.root, scene.bundle, id], {
      encoding: 'utf8',
    });
    expect(output).to.equal('666\n666\n');
  });

  scenario('a default device in the config is as the config says', async (scene) => {
    const output = await scene.shell(statScript(['/dev/null']), (config) => {
      config.linux.devices = [
        { type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o600, uid: 3, gid: 4 },
      ];
      config.process.user = { uid: 0, gid: 0 };
    });
    expect(output).to.equal('/dev/null character special file 1:3 600 3 4\n');
  });

  scenario('in a user namespace the devices of the host are bound', async (scene) => {
    const script = `${statScript(['/dev/null', '/dev/zero'])}; echo x > /dev/null && echo writable`;
    const output = await scene.shell(script, (config) => {
      config.linux.namespaces.push({ type: 'user' });
      config.linux.uidMappings = config.linux.gidMappings = [
        { containerID: 0, hostID: 100_000, size: 65_536 },
      ];
      execFileSync('chown', ['-hR', '100000:100000', scene.rootfs]);
    });
    expect(output)
      .to.match(/null character special file 1:3 666/)
      .and.match(/zero character special file 1:5 666/);
    expect(output).to.match(/writable\n$/);
  });

  for (const namespace of ['none', 'user'] as const) {
    scenario(`a device that is given twice is made once, user namespace: ${namespace}`, async (scene) => {
      const script = `${statScript(['/dev/full'])}; grep -c " /dev/full " /proc/self/mountinfo; true`;
      const output = await scene.shell(script, (config) => {
        const device = { type: 'c', path: '/dev/full', major: 1, minor: 7, fileMode: 0o666 };
        config.linux.devices = [device, { ...device, path: '/dev/full/' }, device];
        if (namespace === 'none') return;
        config.linux.namespaces.push({ type: 'user' });
        config.linux.uidMappings = config.linux.gidMappings = [
          { containerID: 0, hostID: 100_000, size: 65_536 },
        ];
        execFileSync('chown', ['-hR', '100000:100000', scene.rootfs]);
      });
      expect(output)
        .to.match(/^\/dev\/full character special file 1:7 666 /)
        .and.match(namespace === 'none' ? /\n0\n$/ : /\n1\n$/);
    });
  }

  scenario('another device for the same path, or one without numbers, is an error', async (scene) => {
    const device = { type: 'c', path: '/dev/x', major: 1, minor: 3 };
    const twice = await scene.failure((config) => (config.linux.devices = [device, { ...device, minor: 5 }]));
    expect(twice.stderr).to.match(/devices[[/.]1.*another device/);
    const { stderr } = await scene.failure(
      (config) => (config.linux.devices = [{ type: 'c', path: '/dev/x' }]),
    );
    expect(stderr).to.match(/devices/);
    const unknown = await scene.failure((config) => (config.linux.devices = [{ ...device, type: 'z' }]));
    expect(unknown.stderr).to.match(/\/linux\/devices\/0\/type "z": must be one of/);
  });

  describe('the device filter', () => {
    const mknod = (config: TestConfig): void => {
      setCapabilities(config, ['CAP_MKNOD', 'CAP_DAC_OVERRIDE', 'CAP_SYSLOG']);
    };

    scenario('the device filter denies what the config does not allow', async (scene) => {
      const script = 'mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg; mknod /tmp/d b 7 0 && head -c 1 /tmp/d';
      const output = await scene.shell(`(${script}) 2>&1; true`, mknod);
      expect(output.match(/Operation not permitted/g)).to.have.length(2);
    });

    scenario('the device filter allows what the config allows', async (scene) => {
      const output = await scene.shell(
        '(mknod /tmp/kmsg c 1 11 && dd if=/tmp/kmsg bs=1 count=0 && echo open) 2>&1',
        (config) => {
          mknod(config);
          config.linux.resources.devices = [
            { allow: false, access: 'rwm' },
            { allow: true, type: 'c', major: 1, minor: 11, access: 'rm' },
          ];
        },
      );
      expect(output).to.match(/open\n$/);
    });

    scenario('the device filter of a bare config allows the usual devices and no more', async (scene) => {
      // Those of the host's kernel log and of its first loop device are there to be opened.
      const forbidden = 'mknod /tmp/k c 1 11; mknod /tmp/d b 7 0; for d in k d; do (: < /tmp/$d); done';
      const output = await scene.shell(
        `head -c 1 /dev/urandom | wc -c; (${forbidden}) 2>&1; ls /tmp/k /tmp/d`,
        (config) => {
          mknod(config);
          config.linux.resources = {};
        },
      );
      const [usual, ...others] = output.trim().split('\n');
      expect(usual).to.equal('1');
      expect(others.filter((line) => line.includes('not permitted'))).to.have.length(2);
      expect(others.slice(-2)).to.deep.equal(['/tmp/d', '/tmp/k']);
    });
  });

  scenario('devices of a container leave no new nodes on the host', async (scene) => {
    // By a name nobody else has: others may make nodes meanwhile.
    const path = `/dev/${scene.name}`;
    const output = await scene.shell(
      `ls ${path}`,
      (config) => (config.linux.devices = [{ type: 'c', path, major: 1, minor: 3 }]),
    );
    expect(output).to.equal(`${path}\n`);
    expect(existsSync(path)).to.equal(false);
  });
});
