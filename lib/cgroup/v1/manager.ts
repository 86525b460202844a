import { systemError, TsrunError } from '../../core/error.ts';
import type { Finding } from '../../core/finding.ts';
import type { DeviceRule, Resources } from '../../config/types.ts';
import { changeAll } from '../change-limits.ts';
import {
  createAll,
  freezeError,
  freezePatienceMs,
  goneError,
  isThere,
  killPatienceMs,
  requireOutside,
  sigkill,
} from '../freeze.ts';
import { fillCpuset } from '../cpuset.ts';
import { deviceChangeV1, deviceStepsV1 } from './devices.ts';
import { executeSteps } from '../write-limits.ts';
import { errnoOf, failedWith, ioError, isGone, readValue, writeValue } from '../files.ts';
import { freezerState, freezeV1, isFreezingV1, setFreezer } from './freezer.ts';
import { directoryIn } from '../locate.ts';
import { needsCurrentLimit } from './memory.ts';
import { removeCgroups } from '../remove.ts';
import { resourceStepsV1 } from './resources.ts';
import { signalAll } from '../processes.ts';
import { processesBelow, walk } from '../walk.ts';
import type { CgroupManager, CgroupRecord, SelfJoin } from '../record.ts';

/** cgroup v1, also when a v2 hierarchy without controllers is mounted beside it (hybrid). */
export class ManagerV1 implements CgroupManager {
  private readonly record: CgroupRecord;
  /** Directories create() of this object has made: nothing is set in them yet. */
  private fresh: ReadonlySet<string> = new Set();

  constructor(record: CgroupRecord) {
    this.record = record;
  }

  create(): void {
    this.fresh = createAll(Object.values(this.record.paths), isFreezingV1);
  }

  apply(resources: Resources = {}): Finding[] {
    const steps = resourceStepsV1(resources, this.memoryLimit(resources));
    const cpuset = this.path('cpuset');
    if (cpuset !== undefined) prepareCpuset(cpuset, resources, this.fresh.has(cpuset));
    const devices = this.record.unprivileged === true ? [] : deviceStepsV1(resources.devices ?? []);
    return executeSteps([...steps, ...devices], (controller) => this.path(controller));
  }

  update(resources: Resources, presentDevices?: readonly DeviceRule[]): Finding[] {
    const steps = resourceStepsV1(resources, this.memoryLimit(resources));
    const { devices } = resources;
    const locate = (controller: string): string | undefined => this.path(controller);
    if (devices === undefined || this.record.unprivileged === true)
      return changeAll(steps, locate, undefined);
    const change = deviceChangeV1(devices, presentDevices);
    return changeAll(steps, locate, {
      apply: () => executeSteps(change, locate),
      revert: () => {
        if (presentDevices === undefined) return false;
        return succeeds(() => executeSteps(deviceChangeV1(presentDevices, devices), locate));
      },
    });
  }

  give(): void {
    // Whoever owns a cgroup of v1 sets its limits.
  }

  join(pid: number): void {
    for (const directory of Object.values(this.record.paths)) {
      const path = `${directory}/cgroup.procs`;
      try {
        writeValue(path, String(pid));
      } catch (error) {
        throw joinError(path, pid, error);
      }
    }
  }

  selfJoin(): SelfJoin {
    const v1 = Object.entries(this.record.paths).filter(([controller]) => controller !== '');
    return {
      tasks: v1.map(([, directory]) => `${directory}/tasks`),
      cloneInto: this.record.paths[''],
    };
  }

  processes(): number[] {
    const directory = this.tracking();
    return directory === undefined ? [] : processesBelow(directory);
  }

  freeze(): void {
    const freezer = this.freezer();
    requireOutside(this.processes());
    const result = freezeV1(freezer, freezePatienceMs);
    if (result === 'FROZEN') return;
    if (result === 'GONE') throw goneError(freezer);
    const pids = this.processes();
    setFreezer(freezer, 'THAWED');
    throw freezeError(freezer, pids);
  }

  thaw(): void {
    const freezer = this.freezer();
    if (!setFreezer(freezer, 'THAWED')) throw goneError(freezer);
  }

  frozen(): boolean {
    const freezer = this.path('freezer');
    return freezer !== undefined && freezerState(freezer) === 'FROZEN';
  }

  kill(signal: number): void {
    const list = (): number[] => this.processes();
    const now = list();
    if (now.length === 0) return;
    requireOutside(now);
    const freezer = this.path('freezer');
    if (freezer === undefined) {
      signalAll(list, signal);
      return;
    }
    const before = freezerState(freezer);
    try {
      // Nothing forks while all are stopped. One that does not stop soon has the signal pending just as well.
      freezeV1(freezer, killPatienceMs);
      signalAll(list, signal);
    } finally {
      // A stopped task dies only once it runs again.
      if (signal === sigkill) thawTree(freezer);
      else if (before === 'THAWED') setFreezer(freezer, 'THAWED');
    }
  }

  remove(): void {
    removeCgroups(Object.values(this.record.paths));
  }

  exists(): boolean {
    return Object.values(this.record.paths).some(isThere);
  }

  private path(controller: string): string | undefined {
    return directoryIn(this.record, controller);
  }

  /** The hierarchy that tells which processes there are: one that nobody but a runtime moves processes in. */
  private tracking(): string | undefined {
    const directory = ['freezer', 'pids', 'devices', 'memory']
      .map((name) => this.path(name))
      .find((path) => path !== undefined);
    return directory ?? Object.values(this.record.paths)[0];
  }

  private freezer(): string {
    const freezer = this.path('freezer');
    if (freezer !== undefined) return freezer;
    throw new TsrunError(
      'unsupported',
      'cannot pause: the container has no cgroup with the freezer controller',
    );
  }

  /** The present memory limit, where it matters and is not known to be the default. */
  private memoryLimit(resources: Resources): bigint | undefined {
    const directory = this.path('memory');
    if (directory === undefined || this.fresh.has(directory)) return undefined;
    if (!needsCurrentLimit(resources.memory ?? {})) return undefined;
    try {
      return BigInt(readValue(`${directory}/memory.limit_in_bytes`));
    } catch (error) {
      if (isGone(error)) return undefined;
      throw ioError(`read the memory limit of ${directory}`, error);
    }
  }
}

function prepareCpuset(directory: string, resources: Resources, isNew: boolean): void {
  try {
    fillCpuset(directory, resources.cpu ?? {}, isNew);
  } catch (error) {
    throw ioError(`give cgroup ${directory} the cpus and memory nodes of its parent`, error);
  }
}

function joinError(path: string, pid: number, error: unknown): TsrunError {
  const realtime = path.includes('cpu') && failedWith(error, 'EINVAL');
  return systemError(`write ${String(pid)} to ${path}`, errnoOf(error), {
    ...(realtime
      ? { hint: 'A real-time process needs linux.resources.cpu.realtimeRuntime in its cgroup.' }
      : {}),
    cause: error,
  });
}

function succeeds(step: () => unknown): boolean {
  try {
    step();
    return true;
  } catch {
    // The error that led here is the one to tell.
    return false;
  }
}

/**
 * Thaws the cgroup and all below it, parents first. A container that may make cgroups can freeze one of its own,
 * and what is frozen does not die.
 */
function thawTree(freezer: string): void {
  const directories: string[] = [];
  walk(freezer, (directory) => directories.push(directory));
  for (const directory of directories.reverse()) setFreezer(directory, 'THAWED');
}
