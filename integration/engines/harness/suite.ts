import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { removeCgroups } from '../../harness/cgroups.ts';
import { sharedFolder } from '../../harness/hooks.ts';
import { removeMounts } from '../../harness/leaks.ts';
import { namePart } from '../../harness/scene.ts';
import { type EngineSnapshot, leftByEngine, snapshotOfEngine } from './leaks.ts';
import { type Runtime, type RuntimeName, runtimeNames, runtimes } from './runtime.ts';
import { type Outcome, rows } from './table.ts';

/** What an engine is started with. */
export interface Stage {
  /** In the names of all it makes; leaks are recognized by it. */
  name: string;
  /** Its own folder for configuration, state and logs; removed in the end. */
  folder: string;
  runtime: Runtime;
  /** For the daemon and the commands alike. */
  env: Record<string, string>;
}

/** An engine that runs. */
export interface Bed {
  /** The pids of its daemons, which a test may start anew. */
  daemons?(): readonly number[];
  /** Removes the containers a test has left, as its user would. */
  reset(): Promise<void>;
  /** Ends the engine. */
  close(): Promise<void>;
}

/** A test of one action; `id` is a name nobody else uses. */
export type Body<B extends Bed> = (bed: B, id: string) => Promise<void>;
export interface ActionOptions {
  /** Why it cannot be tried on this machine, or with this runtime. */
  obstacle?: (runtime: RuntimeName) => string | undefined;
  /** Milliseconds. */
  timeout?: number;
}
export type DeclareAction<B extends Bed> = (title: string, body: Body<B>, options?: ActionOptions) => void;

let counter = 0;

/** A stage of its own for an engine. */
export function makeStage(runtime: Runtime, env: Record<string, string> = {}): Stage {
  const name = `${namePart}${counter++}`;
  const folder = join(sharedFolder(), name);
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  return { name, folder, runtime, env };
}

/**
 * The tests of an engine: each action is tried with tsrun and with runc behind it, and is a row of the table
 * in docs/engines-tested.md. The engine is started once a runtime; after each action nothing of it may be left, and
 * in the end nothing of the engine.
 */
export function engineSuite<B extends Bed>(
  engine: string,
  open: (stage: Stage) => Promise<B>,
  declare: (action: DeclareAction<B>) => void,
): void {
  for (const name of runtimeNames) {
    describe(`${engine} with ${name}`, () => {
      runtimeSuite(engine, name, open, declare);
    });
  }
}

function runtimeSuite<B extends Bed>(
  engine: string,
  runtime: RuntimeName,
  open: (stage: Stage) => Promise<B>,
  declare: (action: DeclareAction<B>) => void,
): void {
  let bed: B | undefined;
  let stage: Stage | undefined;
  let snapshot: EngineSnapshot | undefined;

  before(async () => {
    snapshot = snapshotOfEngine();
    stage = makeStage(runtimes[runtime]);
    bed = await open(stage);
  });

  declare((title, body, { obstacle, timeout } = {}) => {
    const record = recorder(engine, title, runtime);
    it(title, async function (this: Context) {
      if (timeout !== undefined) this.timeout(timeout);
      const reason = obstacle?.(runtime);
      if (reason !== undefined) {
        record({ skipped: reason });
        if (this.test !== undefined) this.test.title += ` (skipped: ${reason})`;
        this.skip();
      }
      record('fails');
      if (bed === undefined || stage === undefined) throw new Error(`${engine} did not start`);
      await isolated(bed, stage.name, body);
      record('ok');
    });
  });

  after(async () => {
    await bed?.close();
    if (snapshot === undefined || stage === undefined) return;
    const left = await leftByEngine(snapshot, stage.name);
    removeMounts(snapshot.host);
    removeCgroups(stage.name);
    rmSync(stage.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`${engine} left behind:\n  ${left.join('\n  ')}`);
  });
}

/** Runs an action; when it has passed, nothing may be left of it. */
async function isolated<B extends Bed>(bed: B, parent: string, body: Body<B>): Promise<void> {
  const snapshot = snapshotOfEngine();
  let failure: unknown;
  try {
    await body(bed, `${namePart}c${counter++}`);
  } catch (error) {
    failure = error;
  }
  await bed.reset().catch((error: unknown) => (failure ??= error));
  const left = await leftByEngine(snapshot, parent, bed.daemons?.());
  if (failure !== undefined) throw failure as Error;
  if (left.length > 0) throw new Error(`the action left behind:\n  ${left.join('\n  ')}`);
}

function recorder(engine: string, action: string, runtime: RuntimeName): (outcome: Outcome) => void {
  let row = rows.find((known) => known.engine === engine && known.action === action);
  if (row === undefined) rows.push((row = { engine, action, outcomes: {} }));
  const { outcomes } = row;
  return (outcome) => {
    outcomes[runtime] = outcome;
  };
}
