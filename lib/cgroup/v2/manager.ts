import { TsrunError } from '../../core/error.ts';
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
import { controllersOf, enableControllers } from './controllers.ts';
import { needsCurrentQuota } from './cpu.ts';
import { executeSteps } from '../write-limits.ts';
import type { Locate } from '../write-limits.ts';
import { failedWith, ioError, isGone, readValue, writeValue } from '../files.ts';
import { freezeV2, isFreezingV2, isFrozenV2, setFreezeV2 } from './freezer.ts';
import { needsCurrentMemory } from './memory.ts';
import { giveCgroup } from '../delegation.ts';
import { removeCgroups } from '../remove.ts';
import { ignoredOnV2, resourceStepsV2 } from './resources.ts';
import { signalAll } from '../processes.ts';
import type { CgroupStep } from '../cgroup-write.ts';
import { processesBelow } from '../walk.ts';
import type { CgroupManager, CgroupRecord, SelfJoin } from '../record.ts';

/** Makes the kernel apply the device rules (those of the configuration, without the defaults) to a cgroup. */
export type AttachDeviceRules = (directory: string, rules: readonly DeviceRule[]) => void;

/** cgroup v2: one directory for everything. */
export class ManagerV2 implements CgroupManager {
  private readonly directory: string;
  private readonly mountpoint: string;
  private readonly unprivileged: boolean;
  private readonly attachDeviceRules: AttachDeviceRules | undefined;
  /** True when create() of this object has made the directory: nothing is set in it yet. */
  private fresh = false;

  constructor(record: CgroupRecord, attachDeviceRules?: AttachDeviceRules) {
    const { '': directory } = record.paths;
    const { mountpoint } = record;
    if (directory === undefined || mountpoint === undefined) {
      throw new TsrunError('corrupt', 'the record of the cgroup has no cgroup v2 directory');
    }
    this.directory = directory;
    this.mountpoint = mountpoint;
    this.unprivileged = record.unprivileged === true;
    this.attachDeviceRules = attachDeviceRules;
  }

  create(): void {
    const fresh = createAll([this.directory], isFreezingV2, () => {
      enableControllers(this.mountpoint, this.directory);
    });
    this.fresh = fresh.has(this.directory);
  }

  apply(resources: Resources = {}): Finding[] {
    const warnings = executeSteps(this.steps(resources), this.locate());
    if (!this.unprivileged) this.applyDevices(resources.devices ?? []);
    return [...ignoredOnV2(resources), ...warnings];
  }

  update(resources: Resources): Finding[] {
    const { devices } = resources;
    const warnings = changeAll(
      this.steps(resources),
      this.locate(),
      devices === undefined || this.unprivileged
        ? undefined
        : {
            apply: () => {
              this.applyDevices(devices);
            },
            // The program is replaced or it is not; there is nothing in between.
            revert: () => true,
          },
    );
    return [...ignoredOnV2(resources), ...warnings];
  }

  give(uid: number): void {
    // What was delegated to a rootless tsrun belongs to its user, who is root of the container.
    if (!this.unprivileged) giveCgroup(this.directory, uid);
  }

  join(pid: number): void {
    const path = `${this.directory}/cgroup.procs`;
    try {
      writeValue(path, String(pid));
    } catch (error) {
      throw ioError(`write ${String(pid)} to ${path}`, error);
    }
  }

  selfJoin(): SelfJoin {
    return { tasks: [], cloneInto: this.directory };
  }

  processes(): number[] {
    return processesBelow(this.directory);
  }

  freeze(): void {
    requireOutside(this.processes());
    const result = freezeV2(this.directory, freezePatienceMs);
    if (result === 'FROZEN') return;
    if (result === 'GONE') throw goneError(this.directory);
    const pids = this.processes();
    setFreezeV2(this.directory, false);
    throw freezeError(this.directory, pids);
  }

  thaw(): void {
    if (!setFreezeV2(this.directory, false)) throw goneError(this.directory);
  }

  frozen(): boolean {
    return isFreezingV2(this.directory) && isFrozenV2(this.directory);
  }

  kill(signal: number): void {
    const list = (): number[] => this.processes();
    const now = list();
    if (now.length === 0) return;
    requireOutside(now);
    if (signal === sigkill && this.killAll()) return;
    const before = isFreezingV2(this.directory);
    try {
      // Nothing forks while all are stopped. One that does not stop soon has the signal pending just as well.
      freezeV2(this.directory, killPatienceMs);
      signalAll(list, signal);
    } finally {
      // A stopped process dies of SIGKILL as well; nobody is left who should stay stopped.
      if (!before || signal === sigkill) setFreezeV2(this.directory, false);
    }
  }

  remove(): void {
    removeCgroups([this.directory]);
  }

  exists(): boolean {
    return isThere(this.directory);
  }

  private applyDevices(rules: readonly DeviceRule[]): void {
    if (this.attachDeviceRules === undefined) {
      // Without rules the container could use every disk of the host.
      throw new TsrunError('unsupported', 'device rules on cgroup v2 are not available', {
        pointer: '/linux/resources/devices',
      });
    }
    this.attachDeviceRules(this.directory, rules);
  }

  private steps(resources: Resources): CgroupStep[] {
    return resourceStepsV2(resources, {
      quota: this.currentQuota(resources),
      memory: this.currentMemory(resources),
    });
  }

  private locate(): Locate {
    let controllers: Set<string> | undefined;
    return (name) => {
      // Files that every cgroup has are called after `cgroup`.
      controllers ??= new Set(controllersOf(this.directory)).add('cgroup');
      return controllers.has(name) ? this.directory : undefined;
    };
  }

  /** cgroup.kill (Linux 5.14) kills all processes, forks in progress included; false when there is none. */
  private killAll(): boolean {
    try {
      writeValue(`${this.directory}/cgroup.kill`, '1');
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw ioError(`write ${this.directory}/cgroup.kill`, error);
    }
  }

  /** The quota to keep when only the period changes, unless it is known to be the default. */
  private currentQuota(resources: Resources): string | undefined {
    if (this.fresh || !needsCurrentQuota(resources.cpu ?? {})) return undefined;
    return this.current('cpu.max')?.split(' ')[0];
  }

  /** The memory limit a limit of memory and swap adds to, when only that changes; -1 for none. */
  private currentMemory(resources: Resources): bigint | undefined {
    if (this.fresh || !needsCurrentMemory(resources.memory ?? {})) return undefined;
    const text = this.current('memory.max');
    return text === undefined ? undefined : text === 'max' ? -1n : BigInt(text);
  }

  private current(file: string): string | undefined {
    try {
      return readValue(`${this.directory}/${file}`);
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined;
      throw ioError(`read ${this.directory}/${file}`, error);
    }
  }
}
