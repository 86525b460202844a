import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { started } from './harness/inside.ts';
import { tsrun } from './harness/programs.ts';
import { background, printed, run } from './harness/run.ts';
import { scenario } from './harness/scenario.ts';
import { sharedProgram } from './harness/shared-program.ts';
import type { Scene } from './harness/scene.ts';
import { onTerminal } from './harness/terminals.ts';

/** Whoever has the terminal can type on it for the shell behind (TIOCSTI). */
describe("the caller's terminal, when the container has none", () => {
  const look = 'tty; for n in 0 1 2; do readlink /proc/self/fd/$n; done; echo x > /dev/tty; echo done';

  function checkLook(output: string): void {
    expect(output).to.match(/not a tty\r\n(pipe:\[\d+\]\r\n){3}/);
    expect(output).to.match(/can't create \/dev\/tty/);
  }

  function configure(scene: Scene, script: string): void {
    scene.configure((config) => (config.process.args = ['sh', '-c', script]));
  }

  scenario(
    "the caller's terminal is not passed to the process of run or exec in the foreground",
    async (scene) => {
      configure(scene, look);
      const first = onTerminal(scene, 'run', '--bundle', scene.bundle, scene.id());
      expect((await first.ended).status).to.equal(0);
      checkLook(first.stdout());
      const { id } = await started(scene);
      const second = onTerminal(scene, 'exec', id, 'sh', '-c', look);
      expect((await second.ended).status).to.equal(0);
      checkLook(second.stdout());
    },
  );

  scenario(
    "the caller's terminal is read and written in order, and the status is that of the process",
    async (scene) => {
      configure(
        scene,
        'echo one; echo two >&2; echo three; read line; echo "got $line"; cat; echo end; exit 7',
      );
      const program = onTerminal(scene, 'run', '--bundle', scene.bundle, scene.id());
      await printed(program, 'one\r\ntwo\r\nthree\r\n');
      program.child.stdin?.write('hello\n');
      await printed(program, 'got hello\r\n');
      program.child.stdin?.write('more\n');
      await printed(program, 'more\r\nmore\r\n');
      // The end of a terminal's input: control-D on a line of its own.
      program.child.stdin?.write('\u0004');
      await printed(program, 'end\r\n');
      expect((await program.ended).status).to.equal(7);
      expect(program.stdout()).to.match(/tty restored\n$/);
    },
  );

  scenario("the caller's terminal receives all of a large output", async (scene) => {
    const lines = 20_000;
    configure(scene, `i=0; while [ $i -lt ${lines} ]; do echo "line $i of many"; i=$((i+1)); done`);
    const program = onTerminal(scene, 'run', '--bundle', scene.bundle, scene.id());
    expect((await program.ended).status).to.equal(0);
    const got = program.stdout().match(/^line \d+ of many\r$/gm) ?? [];
    expect(got).to.have.length(lines);
    expect(got.at(-1)).to.equal(`line ${lines - 1} of many\r`);
  });

  scenario(
    "control-C on the caller's terminal reaches the process, and tsrun does not wait for orphans",
    async (scene) => {
      configure(scene, "trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done");
      const program = onTerminal(scene, 'run', '--bundle', scene.bundle, scene.id());
      await printed(program, 'ready');
      program.child.stdin?.write('\u0003');
      expect((await program.ended).status).to.equal(3);
      expect(program.stdout()).to.contain('interrupted');
      const { id } = await started(scene);
      const left = onTerminal(scene, 'exec', id, 'sh', '-c', 'sleep 1000 & echo parent is done');
      expect((await left.ended).status).to.equal(0);
      expect(left.stdout()).to.contain('parent is done');
    },
  );

  scenario(
    "the caller's terminal is left to the shell while the container is in the background",
    async (scene) => {
      configure(
        scene,
        'echo started; until [ -e /go ]; do sleep 0.05; done; echo goes on; read line; echo "container got $line"',
      );
      const line =
        'set -m; "$@" & sleep 2; touch "$GO"; sleep 1; read line; echo "shell got $line"; fg > /dev/null';
      const args = [
        'sh',
        '-c',
        line,
        'sh',
        tsrun,
        '--root',
        scene.root,
        'run',
        '--bundle',
        scene.bundle,
        scene.id(),
      ];
      const env = { GO: `${scene.rootfs}/go` };
      const program = scene.keep(background(sharedProgram('ptyrun'), args, { env }));
      await printed(program, 'started');
      program.child.stdin?.write('first\n');
      await printed(program, 'shell got first');
      // A tsrun that the first line has stopped would have copied nothing until the shell lets it go on.
      expect(program.stdout()).to.match(/goes on[^]*shell got/);
      program.child.stdin?.write('second\n');
      await printed(program, 'container got second');
      expect((await program.ended).status).to.equal(0);
    },
  );

  scenario(
    "only terminals among the caller's stdio are replaced: files and pipes are passed on",
    async (scene) => {
      configure(
        scene,
        'for n in 0 1 2; do link=$(readlink /proc/$$/fd/$n); echo $link >&2; done; cat; echo to the file',
      );
      const line = 'exec "$0" --root "$1" run --bundle "$2" "$3" < input > output';
      await run('sh', ['-c', 'echo from the file > input'], { cwd: scene.folder });
      const args = ['sh', '-c', line, tsrun, scene.root, scene.bundle, scene.id()];
      const program = scene.keep(background(sharedProgram('ptyrun'), args, { cwd: scene.folder }));
      expect((await program.ended).status).to.equal(0);
      // Of the host: the container has no name for them.
      expect(program.stdout()).to.match(/input\r\n.*output\r\npipe:\[\d+\]\r\n/);
      expect(readFileSync(scene.path('output'), 'utf8')).to.equal('from the file\nto the file\n');
    },
  );

  scenario("a user who is not root can open the pipes that replace the caller's terminal", async (scene) => {
    scene.configure((config) => {
      config.process.user = { uid: 1000, gid: 1000 };
      config.process.args = ['sh', '-c', 'echo out > /dev/fd/1; echo err > /dev/fd/2'];
    });
    const program = onTerminal(scene, 'run', '--bundle', scene.bundle, scene.id());
    expect((await program.ended).status).to.equal(0);
    expect(program.stdout()).to.match(/out\r\nerr\r\n/);
  });
});
