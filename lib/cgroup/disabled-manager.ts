import { TsrunError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import type { Resources } from '../config/types.ts';
import { noCgroup } from './write-limits.ts';
import { resourceStepsV1 } from './v1/resources.ts';
import { ignoredOnV2, resourceStepsV2 } from './v2/resources.ts';
import type { CgroupManager, CgroupRecord, SelfJoin } from './record.ts';

/**
 * A container without cgroups: none are wanted (--cgroup-manager disabled), or tsrun is rootless and has been given
 * none. A config that asks for a limit is an error. Device rules are no limit in this sense: every config has them,
 * and the container stays in its caller's cgroup, under its caller's rules.
 */
export class ManagerDisabled implements CgroupManager {
  private readonly version: CgroupRecord['version'];

  constructor({ version }: CgroupRecord) {
    this.version = version;
  }

  create(): void {
    // There is nothing to create.
  }

  apply(resources: Resources = {}): Finding[] {
    const [step] = this.version === 1 ? resourceStepsV1(resources) : resourceStepsV2(resources);
    if (step !== undefined) throw noCgroup(step);
    return this.version === 2 ? ignoredOnV2(resources) : [];
  }

  update(resources: Resources): Finding[] {
    return this.apply(resources);
  }

  give(): void {
    // There is nothing to give.
  }

  join(): void {
    // The process stays where it is.
  }

  selfJoin(): SelfJoin {
    return { tasks: [], cloneInto: undefined };
  }

  processes(): number[] {
    return [];
  }

  freeze(): void {
    throw new TsrunError('unsupported', 'cannot pause: the container has no cgroup');
  }

  thaw(): void {
    throw new TsrunError('unsupported', 'cannot resume: the container has no cgroup');
  }

  frozen(): boolean {
    return false;
  }

  kill(): void {
    // No process is known to belong to the container but its first one, which is not this manager's.
  }

  remove(): void {
    // There is nothing to remove.
  }

  exists(): boolean {
    return false;
  }
}
