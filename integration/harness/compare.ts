import { expect } from 'chai';
import type { Edit, Scene } from './scene.ts';
import type { Result } from './run.ts';

/** What a program of a container comes to that a user sees. */
export type Outcome = Pick<Result, 'status' | 'stdout'>;

/** Runs the bundle as it is with runc. */
export async function runWithRunc(scene: Scene): Promise<Outcome> {
  const id = scene.id();
  scene.owns(id, 'runc');
  const { status, stdout } = await scene.runc(['run', '--bundle', scene.bundle, id]);
  return { status, stdout };
}

/** Runs a shell script in a container of tsrun and in one of runc, and checks that they come to the same. */
export async function sameWithRunc(scene: Scene, script: string, edit?: Edit): Promise<Outcome> {
  scene.configure((config) => {
    config.process.args = ['sh', '-c', script];
    edit?.(config);
  });
  const { status, stdout, stderr } = await scene.run();
  const theirs = await runWithRunc(scene);
  expect({ status, stdout }, `tsrun said: ${stderr}`).to.deep.equal(theirs);
  return { status, stdout };
}
