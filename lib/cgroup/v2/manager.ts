import { fileError, TsrunError } from '../../core/error.ts';
import type { DeviceRule, Resources } from '../../config/types.ts';
import type { Finding } from '../../core/finding.ts';
import type { CgroupStep } from '../cgroup-write.ts';
import { changeLimits } from '../change-limits.ts';
import { createCgroups } from '../create.ts';
import { delegateCgroup } from '../delegation.ts';
import { isGone, readValue, writeValue } from '../files.ts';
import { freezeError, freezePatienceMs, goneError, killPatienceMs, requireOutside } from '../freeze.ts';
import type { CgroupManager, SelfJoin } from '../manager.ts';
import { sigkill } from '../../host/signals.ts';
import { processesBelow, signalAll } from '../processes.ts';
import type { CgroupRecord } from '../record.ts';
import { removeCgroups } from '../remove.ts';
import { type FindDirectory, writeLimits } from '../write-limits.ts';
import { controllersOf, enableControllers } from './controllers.ts';
import { needsCurrentQuota } from './cpu.ts';
import { freezeV2, isFreezingV2, isFrozenV2, setFreezeV2 } from './freezer.ts';
import { needsCurrentMemory } from './memory.ts';
import { ignoredOnV2, resourceStepsV2 } from './resources.ts';

/** Applies the device rules of a config, and the defaults, to a cgroup. */
export type AttachDeviceRules = (directory: string, rules: readonly DeviceRule[]) => void;

/** cgroup v2: one directory for all controllers. */
export class ManagerV2 implements CgroupManager {
  private readonly directory: string;
  private readonly mountpoint: string;
  private readonly unprivileged: boolean;
  private readonly attachDeviceRules: AttachDeviceRules | undefined;
  /** True when create() of this object has made the directory: it has the kernel's defaults. */
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
    const fresh = createCgroups([this.directory], isFreezingV2, () => {
      enableControllers(this.mountpoint, this.directory);
    });
    this.fresh = fresh.has(this.directory);
  }

  apply(resources: Resources = {}): Finding[] {
    const warnings = writeLimits(this.steps(resources), this.findDirectory());
    if (!this.unprivileged) this.applyDevices(resources.devices ?? []);
    return [...ignoredOnV2(resources), ...warnings];
  }

  update(resources: Resources): Finding[] {
    const { devices } = resources;
    const warnings = changeLimits(
      this.steps(resources),
      this.findDirectory(),
      devices === undefined || this.unprivileged
        ? undefined
        : {
            apply: () => {
              this.applyDevices(devices);
            },
            // The kernel replaces the program or leaves the old one.
            revert: () => true,
          },
    );
    return [...ignoredOnV2(resources), ...warnings];
  }

  delegate(uid: number): void {
    // A rootless tsrun owns the cgroup that was delegated to it, as its user, who is root of the container.
    if (!this.unprivileged) delegateCgroup(this.directory, uid);
  }

  join(pid: number): void {
    const path = `${this.directory}/cgroup.procs`;
    try {
      writeValue(path, String(pid));
    } catch (error) {
      throw fileError(`write ${String(pid)} to ${path}`, error);
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
      // Frozen processes cannot fork. One that does not stop in time gets the signal all the same.
      freezeV2(this.directory, killPatienceMs);
      signalAll(list, signal);
    } finally {
      // SIGKILL ends frozen processes, too, so the cgroup need not stay frozen.
      if (!before || signal === sigkill) setFreezeV2(this.directory, false);
    }
  }

  remove(): void {
    removeCgroups([this.directory]);
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

  private findDirectory(): FindDirectory {
    let controllers: Set<string> | undefined;
    return (name) => {
      // Every cgroup has the files that are named after `cgroup`.
      controllers ??= new Set(controllersOf(this.directory)).add('cgroup');
      return controllers.has(name) ? this.directory : undefined;
    };
  }

  /** Kills all processes by cgroup.kill, forks in progress included; false on kernels before Linux 5.14. */
  private killAll(): boolean {
    try {
      writeValue(`${this.directory}/cgroup.kill`, '1');
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw fileError(`write ${this.directory}/cgroup.kill`, error);
    }
  }

  /** The present quota, when only the period changes; undefined when it is not needed, or the default. */
  private currentQuota(resources: Resources): string | undefined {
    if (this.fresh || !needsCurrentQuota(resources.cpu ?? {})) return undefined;
    return this.current('cpu.max')?.split(' ')[0];
  }

  /** The present memory limit, when only `swap` changes; -1 for none, undefined when it is not needed, or the default. */
  private currentMemory(resources: Resources): bigint | undefined {
    if (this.fresh || !needsCurrentMemory(resources.memory ?? {})) return undefined;
    const text = this.current('memory.max');
    return text === undefined ? undefined : text === 'max' ? -1n : BigInt(text);
  }

  private current(file: string): string | undefined {
    try {
      return readValue(`${this.directory}/${file}`);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw fileError(`read ${this.directory}/${file}`, error);
    }
  }
}
