import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroups } from '../../harness/cgroups.ts';
import { leftByEngine, snapshotOfEngine } from './leaks.ts';
import { Recorder } from './recorder.ts';
import { type RuntimeName, runtimes } from './runtime.ts';
import { type Answer, answers, expectSameCalls } from './same-calls.ts';
import { type Bed, type Body, makeStage, type Stage } from './suite.ts';

/**
 * A test that a life in an engine makes the same calls with tsrun as with runc, and that tsrun answers each of
 * them as runc does: exit status, stdout, files, kind of error.
 */
export function sameCallsTest<B extends Bed>(
  engine: string,
  open: (stage: Stage) => Promise<B>,
  life: Body<B>,
): void {
  describe(`the calls of ${engine}`, () => {
    it('are answered as runc answers them, call by call', async () => {
      const theirs = await recordedLife('runc', open, life);
      const ours = await recordedLife('tsrun', open, life);
      expectSameCalls(ours, theirs);
    });
  });
}

async function recordedLife<B extends Bed>(
  name: RuntimeName,
  open: (stage: Stage) => Promise<B>,
  life: Body<B>,
): Promise<Answer[]> {
  const snapshot = snapshotOfEngine();
  const stage = makeStage(runtimes[name]);
  const recorder = new Recorder(join(stage.folder, 'recorder'), runtimes[name]);
  const bed = await open({ ...stage, runtime: recorder.runtime });
  const id = `${stage.name}life`;
  try {
    await life(bed, id);
    return answers(recorder.calls(), { [stage.folder]: 'FOLDER', [id]: 'ID', [stage.name]: 'NAME' });
  } finally {
    await bed.reset();
    await bed.close();
    const left = await leftByEngine(snapshot, stage.name);
    removeCgroups(stage.name);
    rmSync(stage.folder, { recursive: true, force: true });
    if (left.length > 0) console.error(`${name} left behind:\n  ${left.join('\n  ')}`);
  }
}
