import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { started } from './harness/inside.ts';
import { exitStatus } from './harness/processes.ts';
import { tsrun } from './harness/programs.ts';
import { run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';

describe('stdio', () => {
  scenario(
    'the container has the very descriptors of the caller, not copies through a pipe',
    async (scene) => {
      const id = scene.id();
      scene.configure((config) => (config.process.args = ['sleep', '1000']));
      writeFileSync(scene.path('in'), '');
      const [input, output, errors] = ['in', 'out', 'err'].map((name) => scene.path(name));
      const script = 'exec "$0" --root "$1" create --bundle "$2" --pid-file "$3" "$4" < in > out 2> err';
      const { status } = await run(
        'sh',
        ['-c', script, tsrun, scene.root, scene.bundle, scene.path('pid'), id],
        { cwd: scene.folder },
      );
      scene.owns(id);
      expect(status).to.equal(0);
      const pid = Number(readFileSync(scene.path('pid'), 'utf8'));
      expect([0, 1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))).to.deep.equal([
        input,
        output,
        errors,
      ]);
    },
  );

  scenario('a user who is not root can open again what he writes to', async (scene) => {
    const [mine, others, input] = ['mine', 'others', 'input'].map((name) => scene.path(name)) as [
      string,
      string,
      string,
    ];
    for (const file of [mine, others, input]) writeFileSync(file, '', { mode: 0o600 });
    chownSync(others, 77, 77);
    const owner = (file: string): number => statSync(file).uid;
    const configure = (text: string): void => {
      scene.configure((config) => {
        config.process.user = { uid: 1000, gid: 1000 };
        config.process.args = ['sh', '-c', text];
      });
    };
    const shell = async (redirections: string): Promise<number> => {
      const line = `exec "$0" --root "$1" run --bundle "$2" "$3" ${redirections}`;
      const args = ['-c', line, tsrun, scene.root, scene.bundle, scene.id()];
      return (await run('sh', args, { cwd: scene.folder })).status;
    };
    configure('echo one >> /dev/fd/1; echo two >> /dev/fd/2; ! cat < /dev/fd/0');
    expect(await shell('< input >> mine 2>&1')).to.equal(0);
    expect(readFileSync(mine, 'utf8')).to.match(/^one\ntwo\n/);
    expect(owner(mine)).to.equal(1000);
    // What is only read stays whose it is, and so does what belongs to somebody else.
    expect(owner(input)).to.equal(0);
    configure('! echo one > /dev/fd/1');
    expect(await shell('>> others 2> /dev/null')).to.equal(0);
    expect(owner(others)).to.equal(77);
    // exec as well.
    const { id } = await started(scene, undefined);
    writeFileSync(scene.path('exec'), '', { mode: 0o600 });
    const line = 'exec "$0" --root "$1" exec --user 1000 "$2" sh -c "echo again > /dev/fd/1" > exec';
    const result = await run('sh', ['-c', line, tsrun, scene.root, id], { cwd: scene.folder });
    expect(result).to.include({ status: 0 });
    expect(readFileSync(scene.path('exec'), 'utf8')).to.equal('again\n');
  });

  scenario('input of the caller arrives, to its end', async (scene) => {
    scene.configure((config) => (config.process.args = ['cat']));
    const input = 'line\n'.repeat(20_000);
    expect(succeeded(await scene.run([], { input })).stdout).to.equal(input);
  });

  scenario('descriptors are left blocking', async (scene) => {
    scene.configure((config) => {
      config.process.args = [
        'sh',
        '-c',
        'cat /proc/self/fdinfo/0 /proc/self/fdinfo/1 /proc/self/fdinfo/2 | grep flags',
      ];
    });
    const { stdout } = await scene.run([], { input: '' });
    for (const line of stdout.trim().split('\n')) {
      // O_NONBLOCK
      expect(Number.parseInt(line.split(/\s+/)[1] ?? '', 8) & 0o4000).to.equal(0);
    }
  });

  scenario('a writer whose reader is gone ends by SIGPIPE', async (scene) => {
    scene.configure(
      (config) =>
        (config.process.args = ['sh', '-c', '(while echo y; do :; done; echo survived >&2) | head -n 1']),
    );
    const result = await scene.run();
    expect(result).to.include({ status: 0, stdout: 'y\n', stderr: '' });
  });

  scenario('--preserve-fds hands down descriptors from 3 on, and only as many', async (scene) => {
    const files = ['three', 'four', 'five'].map((name) => {
      writeFileSync(scene.path(name), `${name}\n`);
      return openSync(scene.path(name), 'r');
    });
    scene.configure(
      (config) => (config.process.args = ['sh', '-c', 'ls /proc/self/fd; cat <&3 <&4; cat <&3']),
    );
    const result = await scene.run(['--preserve-fds', '2'], { fds: files });
    for (const fd of files) closeSync(fd);
    // The last one is the folder ls has open.
    expect(result.stdout).to.equal('0\n1\n2\n3\n4\n5\nfour\nthree\n');
  });

  scenario('without --preserve-fds no descriptor but stdio is passed on', async (scene) => {
    writeFileSync(scene.path('three'), 'secret\n');
    const fd = openSync(scene.path('three'), 'r');
    scene.configure((config) => (config.process.args = ['ls', '/proc/self/fd']));
    const result = await scene.run([], { fds: [fd, fd, fd] });
    closeSync(fd);
    expect(result.stdout).to.equal('0\n1\n2\n3\n');
  });

  scenario('--preserve-fds of a descriptor that is not open is an error', async (scene) => {
    scene.configure();
    const { stderr } = failed(await scene.run(['--preserve-fds', '5']));
    expect(stderr).to.match(/preserve-fds|descriptor/);
    expect(failed(await scene.run(['--preserve-fds', '-1'])).stderr).to.match(/--preserve-fds.*-1/);
  });

  scenario('LISTEN_FDS passes sockets on, as for pid 1', async (scene) => {
    writeFileSync(scene.path('three'), 'three\n');
    const fd = openSync(scene.path('three'), 'r');
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'echo $LISTEN_FDS $LISTEN_PID; cat <&3; ls /proc/self/fd | wc -l'];
    });
    const args = ['run', '--bundle', scene.bundle, scene.id()];
    const result = await scene.activated(args, { fds: [fd], env: { LISTEN_FDS: '1' } });
    closeSync(fd);
    expect(result.stdout).to.equal('1 1\nthree\n5\n');
  });

  scenario('LISTEN_FDS is not dropped by restore without a word', async (scene) => {
    scene.configure();
    const fd = openSync('/dev/null', 'r');
    const args = ['restore', '--image-path', scene.path('none'), '--bundle', scene.bundle, scene.id()];
    const result = await scene.activated(args, { fds: [fd], env: { LISTEN_FDS: '1' } });
    closeSync(fd);
    expect(failed(result).stderr).to.contain('LISTEN_FDS is ignored: restore passes no descriptors on');
  });

  scenario('LISTEN_FDS that are meant for another process are nobody’s', async (scene) => {
    writeFileSync(scene.path('three'), 'secret\n');
    const fd = openSync(scene.path('three'), 'r');
    scene.configure((config) => {
      config.process.args = ['sh', '-c', 'echo "$LISTEN_FDS$LISTEN_PID"; ls /proc/self/fd'];
    });
    // Left by a service manager to a service, and by that to all it starts; the descriptors may be closed by now.
    for (const pid of [{}, { LISTEN_PID: '1' }, { LISTEN_PID: String(process.pid) }, { LISTEN_PID: 'x' }]) {
      for (const fds of [[], [fd]]) {
        const env = { LISTEN_FDS: '2', LISTEN_FDNAMES: 'web', ...pid };
        const { stdout } = succeeded(await scene.run([], { env, fds }));
        expect(stdout, JSON.stringify(env)).to.equal('\n0\n1\n2\n3\n');
      }
    }
    closeSync(fd);
    const { stderr } = failed(
      await scene.activated(['run', '--bundle', scene.bundle, scene.id()], { env: { LISTEN_FDS: '2' } }),
    );
    expect(stderr).to.match(/descriptor 3 is to be preserved but is not open/);
  });

  scenario(
    'LISTEN_FDS and LISTEN_FDNAMES with --preserve-fds: sockets first, then the others',
    async (scene) => {
      const names = ['three', 'four', 'five', 'six'];
      const files = names.map((name) => {
        writeFileSync(scene.path(name), `${name}\n`);
        return openSync(scene.path(name), 'r');
      });
      scene.configure((config) => {
        const script =
          'echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3; cat <&4; cat <&5; ls /proc/self/fd | wc -l';
        config.process.args = ['sh', '-c', script];
        config.process.env.push('LISTEN_FDS=7');
      });
      const options = { fds: files, env: { LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:admin' } };
      const run = (kept: string): string[] => [
        ...['run', '--bundle', scene.bundle, '--preserve-fds', kept],
        scene.id(),
      ];
      const result = succeeded(await scene.activated(run('1'), options));
      expect(result.stdout).to.equal('2 1 web:admin\nthree\nfour\nfive\n7\n');
      const stderr = failed(await scene.activated(run('3'), options)).stderr;
      for (const fd of files) closeSync(fd);
      expect(stderr).to.match(/descriptor 7 is to be preserved but is not open/);
    },
  );

  scenario('closed descriptors of the caller do no harm', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sh', '-c', 'ls /proc/self/fd > /list']));
    const script = 'exec "$0" --root "$1" run --bundle "$2" "$3" <&- >&- 2>&-';
    const { status } = await run('sh', ['-c', script, tsrun, scene.root, scene.bundle, id]);
    expect(status).to.equal(0);
    expect(readFileSync(join(scene.rootfs, 'list'), 'utf8')).to.match(/^0\n1\n2\n(3\n)?$/);
  });

  scenario('a deleted working directory does no harm', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['echo', 'fine']));
    mkdirSync(scene.path('gone'));
    const script = 'cd gone && rmdir ../gone && exec "$0" --root "$1" run --bundle "$2" "$3"';
    const result = await run('sh', ['-c', script, tsrun, scene.root, scene.bundle, id], {
      cwd: scene.folder,
    });
    expect(result).to.include({ status: 0, stdout: 'fine\n' });
  });

  scenario('a detached container outlives its creator and keeps writing', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sh', '-c', 'sleep 0.2; echo late']));
    scene.owns(id);
    const script = 'exec "$0" --root "$1" run --detach --bundle "$2" --pid-file pid "$3" > out';
    await run('sh', ['-c', script, tsrun, scene.root, scene.bundle, id], { cwd: scene.folder });
    expect(await exitStatus(Number(readFileSync(scene.path('pid'), 'utf8')))).to.equal(0);
    expect(readFileSync(scene.path('out'), 'utf8')).to.equal('late\n');
  });
});
