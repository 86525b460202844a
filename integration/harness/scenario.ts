import type { Context } from 'mocha';
import { removeCgroups } from './cgroups.ts';
import { sharedFolder } from './hooks.ts';
import { leaks, removeMounts, type Snapshot, takeSnapshot } from './leaks.ts';
import { Scene, namePart } from './scene.ts';
import { until } from './until.ts';

/**
 * The harness imports nothing from lib/ but types: it reads mounts, processes and cgroups with code of its own, so that a
 * fault of tsrun cannot hide itself from the tests.
 */

/** Why a test cannot run on this machine, or undefined when it can. */
export type Obstacle = () => string | undefined;

/**
 * A test with a scene of its own. When it has passed, what it made is deleted, and nothing may be left of it:
 * no process, mount, cgroup, state folder or file. With an obstacle the test is skipped, and says why.
 */
export function scenario(title: string, body: (scene: Scene) => Promise<void>, obstacle?: Obstacle): void {
  it(title, async function (this: Context) {
    const reason = obstacle?.();
    if (reason !== undefined) {
      if (this.test !== undefined) this.test.title += ` (skipped: ${reason})`;
      this.skip();
    }
    const before = takeSnapshot(namePart);
    const scene = new Scene(sharedFolder());
    let failure: unknown;
    try {
      await body(scene);
    } catch (error) {
      failure = error;
    }
    await scene.close();
    const left = await leftovers(before, scene);
    if (left.length > 0) {
      await scene.deleteAll();
      removeMounts(before);
      removeCgroups(scene.name);
    }
    scene.removeFiles();
    if (failure !== undefined) throw failure as Error;
    if (left.length > 0) throw new Error(`the test left behind:\n  ${left.join('\n  ')}`);
  });
}

/** What stays of a test. The kernel takes its time to end what was killed, so it gets two seconds. */
async function leftovers(before: Snapshot, scene: Scene): Promise<string[]> {
  let left: string[] = [];
  const look = (): boolean => {
    left = leaks(before, namePart, [scene.root, scene.runcRoot]);
    return left.length === 0;
  };
  await until('everything to be gone', look, 2000).catch(() => undefined);
  return left;
}
