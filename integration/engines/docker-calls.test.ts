import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { printed } from '../harness/run.ts';
import { removeCgroups } from '../harness/cgroups.ts';
import { Docker } from './harness/docker.ts';
import { Recorder } from './harness/recorder.ts';
import { type RuntimeName, runtimes } from './harness/runtime.ts';
import { type Answer, answers, expectSameCalls } from './harness/same-calls.ts';
import { makeStage } from './harness/suite.ts';

/** Lives a life with one runtime: how its calls were answered. */
async function record(name: RuntimeName): Promise<Answer[]> {
  const stage = makeStage(runtimes[name]);
  const folder = join(stage.folder, 'recorder');
  mkdirSync(folder);
  const recorder = new Recorder(folder, runtimes[name]);
  const docker = await Docker.open({ ...stage, runtime: recorder.runtime });
  try {
    await live(docker);
  } finally {
    await docker.reset();
    await docker.close();
    removeCgroups(stage.name);
  }
  return answers(recorder.calls(), { [stage.folder]: 'STAGE', [stage.name]: 'NAME' });
}

async function live(docker: Docker): Promise<void> {
  await docker.ok('run', '-d', '--name', 'life', docker.image, 'sh', '-c', 'echo up; exec sleep 1000');
  await printed(docker.follow('logs', '-f', 'life'), 'up\n');
  await docker.docker(['exec', 'life', 'sh', '-c', 'exit 3']);
  await docker.docker(['exec', 'life', 'no-such-command']);
  await docker.ok('top', 'life');
  await docker.ok('pause', 'life');
  await docker.ok('unpause', 'life');
  await docker.ok('update', '--memory', '64m', '--memory-swap', '64m', '--pids-limit', '50', 'life');
  await docker.docker(['update', '--cpuset-cpus', '1000', 'life']);
  await docker.ok('restart', '--time', '0', 'life');
  await docker.ok('stop', '--time', '0', 'life');
  await docker.ok('rm', 'life');
  await docker.docker(['run', '--rm', docker.image, 'no-such-command']);
  await docker.docker(['run', '--rm', docker.image, '/etc/passwd']);
  await docker.docker(['run', '--rm', '--sysctl', 'net.no_such_thing=1', docker.image, 'true']);
  const terminal = docker.onTerminal('run', '-it', '--rm', docker.image, 'sh');
  terminal.child.stdin?.write('exit 4\n');
  await terminal.ended;
}

describe('the calls docker makes', () => {
  it('the calls docker makes are answered as runc answers them', async () => {
    const theirs = await record('runc');
    const ours = await record('tsrun');
    expect(theirs.map(({ call }) => call.split(' ').find((word) => !word.startsWith('-')))).to.not.equal([]);
    expectSameCalls(ours, theirs);
  });
});
