import { errnoOrRethrow, hasErrno } from '../../core/errno.ts';
import { fileError, systemError, TsrunError } from '../../core/error.ts';
import type { DeviceRule, Resources } from '../../config/types.ts';
import type { Finding } from '../../core/finding.ts';
import { changeLimits } from '../change-limits.ts';
import { createCgroups } from '../create.ts';
import { fillCpuset } from '../cpuset.ts';
import { isGone, readValue, writeValue } from '../files.ts';
import { freezeError, freezePatienceMs, goneError, killPatienceMs, requireOutside } from '../freeze.ts';
import type { CgroupManager, SelfJoin } from '../manager.ts';
import { sigkill } from '../../host/signals.ts';
import { processesBelow, signalAll } from '../processes.ts';
import { type CgroupRecord, controllerDirectory } from '../record.ts';
import { removeCgroups } from '../remove.ts';
import { walk } from '../walk.ts';
import { writeLimits } from '../write-limits.ts';
import { deviceChangeV1, deviceStepsV1 } from './devices.ts';
import { freezerState, freezeV1, isFreezingV1, setFreezer } from './freezer.ts';
import { needsCurrentLimit } from './memory.ts';
import { resourceStepsV1 } from './resources.ts';

/** cgroup v1, with or without a v2 hierarchy beside it that has no controllers (hybrid). */
export class ManagerV1 implements CgroupManager {
  private readonly record: CgroupRecord;
  /** The directories that create() of this object has made: they have the kernel's defaults. */
  private fresh: ReadonlySet<string> = new Set();

  constructor(record: CgroupRecord) {
    this.record = record;
  }

  create(): void {
    this.fresh = createCgroups(Object.values(this.record.paths), isFreezingV1);
  }

  apply(resources: Resources = {}): Finding[] {
    const steps = resourceStepsV1(resources, this.memoryLimit(resources));
    const cpuset = this.path('cpuset');
    if (cpuset !== undefined) prepareCpuset(cpuset, resources, this.fresh.has(cpuset));
    const devices = this.record.unprivileged === true ? [] : deviceStepsV1(resources.devices ?? []);
    return writeLimits([...steps, ...devices], (controller) => this.path(controller));
  }

  update(resources: Resources, presentDevices?: readonly DeviceRule[]): Finding[] {
    const steps = resourceStepsV1(resources, this.memoryLimit(resources));
    const { devices } = resources;
    const locate = (controller: string): string | undefined => this.path(controller);
    if (devices === undefined || this.record.unprivileged === true)
      return changeLimits(steps, locate, undefined);
    const change = deviceChangeV1(devices, presentDevices);
    return changeLimits(steps, locate, {
      apply: () => writeLimits(change, locate),
      revert: () => {
        if (presentDevices === undefined) return false;
        return succeeds(() => writeLimits(deviceChangeV1(presentDevices, devices), locate));
      },
    });
  }

  delegate(): void {
    // The owner of a v1 cgroup could change its limits.
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
    const directory = this.processDirectory();
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
      // Frozen processes cannot fork. One that does not stop in time gets the signal all the same.
      freezeV1(freezer, killPatienceMs);
      signalAll(list, signal);
    } finally {
      // A frozen task dies only when it is thawed.
      if (signal === sigkill) thawTree(freezer);
      else if (before === 'THAWED') setFreezer(freezer, 'THAWED');
    }
  }

  remove(): void {
    removeCgroups(Object.values(this.record.paths));
  }

  private path(controller: string): string | undefined {
    return controllerDirectory(this.record, controller);
  }

  /** The directory to list processes in: of a hierarchy in which only runtimes move processes. */
  private processDirectory(): string | undefined {
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

  /** The present memory limit in bytes; undefined when it is not needed, or the default. */
  private memoryLimit(resources: Resources): bigint | undefined {
    const directory = this.path('memory');
    if (directory === undefined || this.fresh.has(directory)) return undefined;
    if (!needsCurrentLimit(resources.memory ?? {})) return undefined;
    try {
      return BigInt(readValue(`${directory}/memory.limit_in_bytes`));
    } catch (error) {
      if (isGone(error)) return undefined;
      throw fileError(`read the memory limit of ${directory}`, error);
    }
  }
}

function prepareCpuset(directory: string, resources: Resources, isNew: boolean): void {
  try {
    fillCpuset(directory, resources.cpu ?? {}, isNew);
  } catch (error) {
    throw fileError(`give cgroup ${directory} the cpus and memory nodes of its parent`, error);
  }
}

function joinError(path: string, pid: number, error: unknown): TsrunError {
  const realtime = path.includes('cpu') && hasErrno(error, 'EINVAL');
  return systemError(`write ${String(pid)} to ${path}`, errnoOrRethrow(error), {
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
    // The caller reports the error that made it revert.
    return false;
  }
}

/**
 * Thaws the cgroup and all below it: frozen tasks do not die, and a container that may make cgroups can freeze its own.
 * A task runs again when every cgroup above it is thawed, in whatever order.
 */
function thawTree(freezer: string): void {
  walk(freezer, (directory) => {
    setFreezer(directory, 'THAWED');
  });
}
