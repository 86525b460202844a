import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { shareNamespace } from './harness/config.ts';
import { started } from './harness/inside.ts';
import { exitStatus } from './harness/processes.ts';
import { scenario } from './harness/scenario.ts';
import { failed, succeeded } from './harness/scene.ts';

describe('ps', () => {
  scenario('ps lists the processes of the container and no other', async (scene) => {
    const { id, pid, exec } = await started(scene);
    const pidFile = scene.path('exec.pid');
    succeeded(await exec(['--detach', '--pid-file', pidFile], ['sleep', '2000']));
    const other = scene.adopt(Number(readFileSync(pidFile, 'utf8')));
    const json = succeeded(await scene.tsrun(['ps', '--format', 'json', id])).stdout;
    expect(json).to.equal(`[${[pid, other].sort((a, b) => a - b).join(',')}]\n`);
    const lines = succeeded(await scene.tsrun(['ps', id]))
      .stdout.trimEnd()
      .split('\n');
    expect(lines[0]).to.match(/^UID\s+PID\s+PPID\s+C\s+STIME\s+TTY\s+TIME\s+CMD$/);
    expect(lines.slice(1).map((line) => Number(line.split(/\s+/)[1]))).to.have.members([pid, other]);
    expect(lines.at(-1)).to.match(/sleep [12]000$/);
  });

  scenario('ps passes options to the ps of the host', async (scene) => {
    const { id, pid } = await started(scene);
    const { stdout } = succeeded(await scene.tsrun(['ps', id, '-e', '-o', 'pid,comm']));
    expect(stdout).to.match(new RegExp(`^\\s*PID COMMAND\\n\\s*${pid} sleep\\n$`));
    expect(succeeded(await scene.tsrun(['ps', id, 'aux'])).stdout).to.match(/^USER\s+PID/);
    expect(failed(await scene.tsrun(['ps', id, '-e', '-o', 'comm'])).stderr).to.match(/PID field/);
    expect(failed(await scene.tsrun(['ps', id, '--no-such-option'])).stderr).to.match(/ps ended with/);
  });

  scenario('ps of a stopped container shows nothing', async (scene) => {
    const { id, pid } = await started(scene);
    await scene.kill(id, 'KILL');
    await exitStatus(pid);
    expect(succeeded(await scene.tsrun(['ps', '-f', 'json', id])).stdout).to.equal('[]\n');
    expect(
      succeeded(await scene.tsrun(['ps', id]))
        .stdout.trimEnd()
        .split('\n'),
    ).to.have.length(1);
    expect(failed(await scene.tsrun(['ps', scene.id()])).stderr).to.match(/does not exist/);
  });

  scenario('ps without cgroups goes by the pid namespace', async (scene) => {
    const id = scene.id();
    scene.configure((config) => (config.process.args = ['sh', '-c', 'sleep 1000 & sleep 1000']));
    scene.owns(id);
    const pidFile = scene.path('pid');
    const flags = ['--cgroup-manager', 'disabled', 'run', '--detach', '--pid-file', pidFile];
    succeeded(await scene.tsrun([...flags, '--bundle', scene.bundle, id]));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const pids = JSON.parse(succeeded(await scene.tsrun(['ps', '-f', 'json', id])).stdout) as number[];
    expect(pids).to.contain(pid);
    expect(pids.length).to.be.within(2, 3);
  });

  scenario('kill --all reaches every process, and a stopped container is no failure', async (scene) => {
    const { id, pid, exec } = await started(scene, (config) => {
      shareNamespace(config, 'pid');
    });
    const pidFile = scene.path('exec.pid');
    succeeded(await exec(['--detach', '--pid-file', pidFile], ['sleep', '2000']));
    const other = Number(readFileSync(pidFile, 'utf8'));
    succeeded(await scene.tsrun(['kill', '--all', id, 'TERM']));
    expect(await exitStatus(pid)).to.equal(143);
    expect(await exitStatus(other)).to.equal(143);
    succeeded(await scene.tsrun(['kill', '--all', id, 'KILL']));
    expect(failed(await scene.tsrun(['kill', id, 'KILL'])).stderr).to.match(/container not running/);
  });
});
