import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { processInfo, statusField } from './harness/processes.ts';
import { scenario } from './harness/scenario.ts';
import type { Scene } from './harness/scene.ts';
import { until } from './harness/until.ts';

/** Gives the scene's config a process that stays, and returns its pid once it is the user's program. */
async function sleeper(scene: Scene, edit?: Parameters<Scene['configure']>[0]): Promise<number> {
  const id = scene.id();
  scene.configure((config) => {
    config.process.args = ['sleep', '1000'];
    edit?.(config);
  });
  const pid = await scene.create(id);
  await scene.start(id);
  await until('execve', () => processInfo(pid)?.name === 'sleep');
  return pid;
}

describe('the process', () => {
  scenario('args arrive as they are', async (scene) => {
    const args = ['', ' a  b ', '"quoted"', "it's", '$HOME', '\\n', '*', 'é ☃', '--', '\n'];
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'for a; do printf "<%s>" "$a"; done', 'sh', ...args];
    });
    expect((await scene.run()).stdout).to.equal(args.map((arg) => `<${arg}>`).join(''));
  });

  scenario('env is what the config says and nothing else, the last of a name wins', async (scene) => {
    scene.configure((config) => {
      config.process.args = ['env'];
      config.process.env = ['PATH=/bin', 'A=1', 'B=x=y', 'EMPTY=', 'A=2'];
    });
    const { stdout } = await scene.run([], { env: { SECRET: 'of the caller' } });
    const env = stdout.trimEnd().split('\n');
    expect(env).to.include.members(['PATH=/bin', 'A=2', 'B=x=y', 'EMPTY=']).and.not.include('A=1');
    expect(env.filter((line) => !/^(PATH|A|B|EMPTY|HOME|PWD|SHLVL)=/.test(line))).to.deep.equal([]);
  });

  scenario('HOME comes from /etc/passwd of the container unless env has one', async (scene) => {
    const home = async (uid: number, env: string[]): Promise<string> =>
      await scene.shell('echo $HOME', (config) => {
        config.process.user = { uid, gid: uid };
        config.process.env.push(...env);
      });
    expect(await home(0, [])).to.equal('/root\n');
    expect(await home(1000, [])).to.equal('/home/alice\n');
    expect(await home(4242, [])).to.equal('/\n');
    expect(await home(0, ['HOME=/mine'])).to.equal('/mine\n');
  });

  scenario('the process starts in the cwd of the config', async (scene) => {
    expect(await scene.shell('pwd', (config) => (config.process.cwd = '/usr/bin'))).to.equal('/usr/bin\n');
  });

  scenario('a cwd that is missing is made, one that is a file is an error naming it', async (scene) => {
    expect(await scene.shell('pwd', (config) => (config.process.cwd = '/made/for/me'))).to.equal(
      '/made/for/me\n',
    );
    const { stderr } = await scene.failure((config) => (config.process.cwd = '/etc/passwd'));
    expect(stderr)
      .to.contain('/etc/passwd')
      .and.match(/cwd/)
      .and.match(/not a directory/i);
  });

  scenario('a cwd that only the user may enter works', async (scene) => {
    mkdirSync(join(scene.rootfs, 'private'), { mode: 0o700 });
    const { chownSync } = await import('node:fs');
    chownSync(join(scene.rootfs, 'private'), 1000, 1000);
    const output = await scene.shell('pwd; id -u', (config) => {
      config.process.cwd = '/private';
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.capabilities = {};
    });
    expect(output).to.equal('/private\n1000\n');
  });

  scenario('uid, gid, additional groups and umask are those of the config', async (scene) => {
    const output = await scene.shell('id -u; id -g; id -G; umask', (config) => {
      config.process.user = { uid: 1000, gid: 1001, additionalGids: [50, 7, 4_000_000_000], umask: 0o027 };
    });
    // The kernel keeps them sorted.
    expect(output).to.match(/^1000\n1001\n(1001 )?7 50 4000000000\n0?027\n$/);
  });

  scenario('without additionalGids there are no groups, and without umask it is 022', async (scene) => {
    const pid = await sleeper(scene);
    expect(statusField(pid, 'Groups')).to.be.oneOf(['', '0']);
    expect(Number.parseInt(statusField(pid, 'Umask'), 8)).to.equal(0o022);
  });

  scenario('the largest uid and gid work', async (scene) => {
    const pid = await sleeper(scene, (config) => {
      config.process.user = { uid: 4_294_967_294, gid: 4_294_967_294 };
      config.process.capabilities = {};
    });
    expect(statusField(pid, 'Uid')).to.match(/^4294967294\s/);
  });

  scenario('ids no kernel has are errors', async (scene) => {
    for (const uid of [-1, 4_294_967_295, 4_294_967_296, 1.5]) {
      const { stderr } = await scene.failure((config) => (config.process.user = { uid, gid: 0 }));
      expect(stderr).to.match(/uid/);
    }
  });

  scenario('noNewPrivileges sets no_new_privs', async (scene) => {
    expect(statusField(await sleeper(scene), 'NoNewPrivs')).to.equal('1');
    const without = await sleeper(scene, (config) => (config.process.noNewPrivileges = false));
    expect(statusField(without, 'NoNewPrivs')).to.equal('0');
  });

  scenario('oomScoreAdj is that of the config, and the inherited one without it', async (scene) => {
    const pid = await sleeper(scene, (config) => (config.process.oomScoreAdj = 500));
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8')).to.equal('500\n');
    const other = await sleeper(scene);
    expect(readFileSync(`/proc/${other}/oom_score_adj`, 'utf8')).to.equal(
      readFileSync('/proc/self/oom_score_adj', 'utf8'),
    );
    const { stderr } = await scene.failure((config) => (config.process.oomScoreAdj = 1001));
    expect(stderr).to.match(/oomScoreAdj/);
  });

  scenario('no signal is ignored or blocked', async (scene) => {
    const pid = await sleeper(scene);
    for (const field of ['SigIgn', 'SigBlk', 'SigCgt', 'SigPnd', 'ShdPnd']) {
      expect(statusField(pid, field), field).to.equal('0000000000000000');
    }
  });

  scenario('only 0, 1 and 2 are open', async (scene) => {
    const output = await scene.shell(
      'ls -l /proc/self/fd | sed 1d | wc -l; ls /proc/self/fd; cat /proc/1/limits | grep "open files"',
    );
    // ls itself has one open for the folder.
    expect(output).to.match(/^4\n0\n1\n2\n3\n/);
    const pid = await sleeper(scene);
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(`/proc/${pid}/fd`).sort()).to.deep.equal(['0', '1', '2']);
  });

  scenario('the process has no parent death signal and a session of its own', async (scene) => {
    const pid = await sleeper(scene);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    expect(fields[3], 'session').to.equal(String(pid));
  });

  scenario('/proc/self/exe is the file of the image', async (scene) => {
    expect(await scene.shell('readlink /proc/self/exe')).to.equal('/bin/busybox\n');
  });

  scenario('the search goes along PATH of the config, inside the container', async (scene) => {
    writeFileSync(join(scene.rootfs, 'usr/bin/mine'), '#!/bin/sh\necho found "$0"\n', { mode: 0o755 });
    scene.configure((config) => (config.process.args = ['mine']));
    expect((await scene.run()).stdout).to.equal('found /usr/bin/mine\n');
  });

  describe('what cannot be executed', () => {
    scenario('a program that is not in PATH is a clear error', async (scene) => {
      const { stderr } = await scene.failure((config) => (config.process.args = ['no-such-program']));
      expect(stderr).to.match(/exec: "no-such-program": executable file not found in \$PATH/);
    });

    scenario('a program path that does not exist is a clear error', async (scene) => {
      const { stderr } = await scene.failure((config) => (config.process.args = ['/no/such/program']));
      expect(stderr)
        .to.contain('/no/such/program')
        .and.match(/no such file or directory/);
    });

    scenario('a program without permission to execute is a clear error', async (scene) => {
      writeFileSync(join(scene.rootfs, 'bin/plain'), '#!/bin/sh\n', { mode: 0o644 });
      const { stderr } = await scene.failure((config) => (config.process.args = ['/bin/plain']));
      expect(stderr)
        .to.contain('/bin/plain')
        .and.match(/permission denied/);
    });

    scenario('a folder as a program is a clear error', async (scene) => {
      const { stderr } = await scene.failure((config) => (config.process.args = ['/bin']));
      expect(stderr)
        .to.contain('/bin')
        .and.match(/permission denied|is a directory/);
    });

    scenario('a program for another machine is a clear error', async (scene) => {
      const header = Buffer.from(readFileSync(join(scene.rootfs, 'bin/busybox')).subarray(0, 4096));
      // e_machine: 243 is RISC-V, which nothing we run on is.
      header.writeUInt16LE(243, 18);
      writeFileSync(join(scene.rootfs, 'bin/foreign'), header, { mode: 0o755 });
      const { stderr } = await scene.failure((config) => (config.process.args = ['/bin/foreign']));
      expect(stderr)
        .to.contain('/bin/foreign')
        .and.match(/exec format error/i);
    });

    scenario('a script whose interpreter is missing is a clear error', async (scene) => {
      writeFileSync(join(scene.rootfs, 'bin/script'), '#!/bin/no-such-shell\n', { mode: 0o755 });
      const { stderr } = await scene.failure((config) => (config.process.args = ['/bin/script']));
      expect(stderr)
        .to.contain('/bin/script')
        .and.match(/no such file or directory/);
    });

    scenario('a process without args is a clear error', async (scene) => {
      expect((await scene.failure((config) => (config.process.args = []))).stderr).to.match(/args/);
    });

    scenario('a relative cwd is a clear error', async (scene) => {
      expect((await scene.failure((config) => (config.process.cwd = 'tmp'))).stderr).to.match(/cwd/);
    });
  });

  scenario('what fails between create and execve is told by start', async (scene) => {
    const id = scene.id();
    const binary = join(scene.rootfs, 'bin/gone');
    writeFileSync(binary, '#!/bin/sh\n', { mode: 0o755 });
    scene.configure((config) => (config.process.args = ['/bin/gone']));
    await scene.create(id);
    rmSync(binary);
    const { status, stderr } = await scene.tsrun(['start', id]);
    expect(status).to.equal(1);
    expect(stderr)
      .to.contain('/bin/gone')
      .and.match(/no such file or directory/);
    await scene.untilStatus(id, 'stopped');
    await scene.delete(id);
  });
});
