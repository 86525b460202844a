import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { failed, namePart, succeeded } from './harness/scene.ts';
import { type Obstacle, scenario } from './harness/scenario.ts';

const enabled = '/sys/module/apparmor/parameters/enabled';
const profile = `${namePart}-denies-secret`;

/** Everything, but no file called secret. */
const text = `
profile ${profile} flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  mount,
  umount,
  pivot_root,
  signal,
  ptrace,
  unix,
  dbus,
  deny /secret w,
}
`;

const obstacle: Obstacle = () => {
  if (!existsSync(enabled) || !readFileSync(enabled, 'utf8').startsWith('Y')) {
    return 'this kernel runs without AppArmor; Debian and Ubuntu kernels have it';
  }
  try {
    execFileSync('apparmor_parser', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no apparmor_parser to load a profile with (Debian: apparmor)';
  }
};

const script = 'cat /proc/self/attr/current; echo x > /open && echo open; echo x > /secret && echo secret';

describe('AppArmor', () => {
  before(() => {
    if (obstacle() !== undefined) return;
    execFileSync('apparmor_parser', ['--replace', '--skip-cache'], { input: text });
  });

  after(() => {
    if (obstacle() !== undefined) return;
    execFileSync('apparmor_parser', ['--remove'], { input: text });
  });

  scenario(
    'an AppArmor profile confines the container',
    async (scene) => {
      scene.configure((config) => {
        config.process.apparmorProfile = profile;
        config.process.args = ['sh', '-c', script];
      });
      const { stdout, stderr } = await scene.run();
      expect(stdout).to.equal(`${profile} (enforce)\nopen\n`);
      expect(stderr).to.match(/secret: Permission denied/);
    },
    obstacle,
  );

  scenario(
    'an AppArmor profile confines a container with noNewPrivileges, and one that is started later',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.apparmorProfile = profile;
        config.process.noNewPrivileges = true;
        config.process.args = ['sleep', '1000'];
      });
      const pid = await scene.create(id);
      await scene.start(id);
      expect(readFileSync(`/proc/${pid}/attr/current`, 'utf8')).to.equal(`${profile} (enforce)\n`);
    },
    obstacle,
  );

  scenario(
    'a process of exec has the AppArmor profile of the config, or one of its own',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => {
        config.process.apparmorProfile = profile;
        config.process.args = ['sleep', '1000'];
      });
      await scene.create(id);
      await scene.start(id);
      const show = ['cat', '/proc/self/attr/current'];
      expect(succeeded(await scene.tsrun(['exec', id, ...show])).stdout).to.equal(`${profile} (enforce)\n`);
      writeFileSync(
        scene.path('process.json'),
        JSON.stringify({ args: show, cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } }),
      );
      const plain = ['exec', '--process', scene.path('process.json')];
      expect(succeeded(await scene.tsrun([...plain, id])).stdout).to.equal(`${profile} (enforce)\n`);
      const own = ['exec', '--apparmor', profile, id, ...show];
      expect(succeeded(await scene.tsrun(own)).stdout).to.equal(`${profile} (enforce)\n`);
    },
    obstacle,
  );

  scenario(
    'an AppArmor profile that is not loaded is a clear error, and nothing is left',
    async (scene) => {
      scene.configure((config) => (config.process.apparmorProfile = 'tsrun-nobody-has-this'));
      const { stderr } = failed(await scene.run());
      expect(stderr)
        .to.contain('/process/apparmorProfile')
        .and.contain('tsrun-nobody-has-this')
        .and.match(/not loaded|no such/i);
    },
    obstacle,
  );

  scenario(
    'without AppArmor a profile is an error, but "unconfined" is not',
    async (scene) => {
      scene.configure((config) => (config.process.apparmorProfile = profile));
      expect(failed(await scene.run()).stderr).to.match(/apparmorProfile.*AppArmor is not enabled/);
      scene.configure((config) => (config.process.apparmorProfile = 'unconfined'));
      succeeded(await scene.run());
    },
    () => (existsSync(enabled) ? 'this kernel has AppArmor' : undefined),
  );
});

describe('SELinux', () => {
  scenario(
    'a SELinux label is an error where SELinux is off',
    async (scene) => {
      scene.configure((config) => (config.process.selinuxLabel = 'system_u:system_r:container_t:s0'));
      const { stderr } = failed(await scene.run());
      expect(stderr)
        .to.match(/selinuxLabel/)
        .and.match(/SELinux/);
    },
    () => (existsSync('/sys/fs/selinux/enforce') ? 'SELinux is on here' : undefined),
  );
});
