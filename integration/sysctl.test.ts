import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { shareNamespace, type TestConfig } from './harness/config.ts';
import { scenario } from './harness/scenario.ts';

describe('sysctl', () => {
  scenario('sysctl sets values of the namespaces of the container, with dots or slashes', async (scene) => {
    const before = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8');
    const script =
      'cd /proc/sys; cat net/ipv4/ip_forward kernel/shm_rmid_forced kernel/msgmax net/ipv4/conf/lo/log_martians';
    const output = await scene.shell(script, (config) => {
      config.linux.sysctl = {
        'net.ipv4.ip_forward': before.trim() === '1' ? '0' : '1',
        'kernel.shm_rmid_forced': '1',
        'kernel.msgmax': '4097',
        'net/ipv4/conf/lo/log_martians': '1',
      };
    });
    expect(output).to.equal(`${before.trim() === '1' ? '0' : '1'}\n1\n4097\n1\n`);
    expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')).to.equal(before);
  });

  scenario('a sysctl that would change the host is refused with its name', async (scene) => {
    const host = await scene.failure((config) => (config.linux.sysctl = { 'vm.swappiness': '1' }));
    expect(host.stderr)
      .to.contain('vm.swappiness')
      .and.match(/namespace/);
    const shared = await scene.failure((config) => {
      shareNamespace(config, 'network');
      config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs');
      config.linux.maskedPaths = [];
      config.linux.sysctl = { 'net.ipv4.ip_forward': '1' };
    });
    expect(shared.stderr)
      .to.contain('net.ipv4.ip_forward')
      .and.match(/namespace/);
  });

  for (const [type, link, name] of [
    ['network', 'net', 'net.ipv4.ip_forward'],
    ['network', 'net', 'net/ipv4/ip_forward'],
    ['ipc', 'ipc', 'kernel.msgmax'],
    ['ipc', 'ipc', 'fs.mqueue.msg_max'],
    ['uts', 'uts', 'kernel.domainname'],
  ] as const) {
    scenario(`${name} in the host's own ${type} namespace, named by a path, is refused`, async (scene) => {
      const parameter = `/proc/sys/${name.replaceAll('.', '/')}`;
      const before = readFileSync(parameter, 'utf8');
      // The value it has: should it be set after all, no harm is done.
      const edit = (path: string) => (config: TestConfig) => {
        shareNamespace(config, type);
        Reflect.deleteProperty(config, 'hostname');
        config.mounts = config.mounts.filter(({ type: kind }) => kind !== 'sysfs' && kind !== 'mqueue');
        config.linux.namespaces.push({ type, path });
        config.linux.sysctl = { [name]: before.trim() };
      };
      // By what it is, not by what it is called.
      const kept = scene.path('kept');
      writeFileSync(kept, '');
      execFileSync('mount', ['--bind', `/proc/self/ns/${link}`, kept]);
      try {
        for (const path of ['/proc/self', `/proc/${process.pid}`]
          .map((of) => `${of}/ns/${link}`)
          .concat(kept)) {
          const { stderr } = await scene.failure(edit(path));
          expect(stderr)
            .to.contain('/linux/namespaces/4/path')
            .and.contain(`sysctl ${name} would change the host`);
          const verdict = await scene.tsrun(['validate', scene.bundle]);
          expect(verdict.stdout).to.contain('/linux/namespaces/4/path');
        }
      } finally {
        execFileSync('umount', [kept]);
      }
    });
  }

  scenario('kernel.domainname may say again what domainname says, and nothing else', async (scene) => {
    const edit = (value: string) => (config: TestConfig) => {
      config.domainname = 'example.org';
      config.linux.sysctl = { 'kernel.domainname': value };
    };
    expect(await scene.shell('cat /proc/sys/kernel/domainname', edit('example.org'))).to.equal(
      'example.org\n',
    );
    expect((await scene.failure(edit('other'))).stderr).to.include('property "domainname"');
  });

  scenario('a sysctl is set in a joined namespace', async (scene) => {
    scene.configure((config) => (config.process.args = ['sleep', '1000']));
    const holder = await scene.create(scene.id());
    const output = await scene.shell('cat /proc/sys/kernel/msgmax', (config) => {
      shareNamespace(config, 'ipc');
      config.linux.namespaces.push({ type: 'ipc', path: `/proc/${holder}/ns/ipc` });
      config.linux.sysctl = { 'kernel.msgmax': '4321' };
    });
    expect(output).to.equal('4321\n');
  });

  scenario('a sysctl that does not exist, or a value the kernel refuses, is named', async (scene) => {
    const missing = await scene.failure(
      (config) => (config.linux.sysctl = { 'net.ipv4.no_such_thing': '1' }),
    );
    expect(missing.stderr)
      .to.contain('no_such_thing')
      .and.match(/no such file or directory/i);
    const refused = await scene.failure(
      (config) => (config.linux.sysctl = { 'net.ipv4.ip_forward': 'perhaps' }),
    );
    expect(refused.stderr)
      .to.contain('ip_forward')
      .and.match(/invalid argument/i);
  });

  scenario('a sysctl whose name climbs out of /proc/sys is refused', async (scene) => {
    for (const name of ['net/../kernel/core_pattern', 'net.ipv4/../../../kernel/core_pattern', '../sys']) {
      const { stderr } = await scene.failure((config) => (config.linux.sysctl = { [name]: 'x' }));
      const pointer = `/linux/sysctl/${name.replaceAll('/', '~1')}`;
      expect(stderr)
        .to.contain(pointer)
        .and.match(/is not the name of a kernel parameter/);
    }
  });
});
