import { TsrunError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import type { Resources } from '../config/types.ts';
import { noCgroup } from './write-limits.ts';
import { resourceStepsV1 } from './v1/resources.ts';
import { ignoredOnV2, resourceStepsV2 } from './v2/resources.ts';
import type { CgroupManager, SelfJoin } from './manager.ts';
import type { CgroupRecord } from './record.ts';

/**
 * A container without cgroups: --cgroup-manager disabled, or a rootless tsrun to which none are delegated. A config
 * that asks for a limit is an error. Device rules are ignored, since every config has some: the container stays in
 * tsrun's own cgroup, and the rules of that one apply.
 */
export class ManagerDisabled implements CgroupManager {
  private readonly version: CgroupRecord['version'];

  constructor({ version }: CgroupRecord) {
    this.version = version;
  }

  create(): void {
    // Nothing is made.
  }

  apply(resources: Resources = {}): Finding[] {
    const [step] = this.version === 1 ? resourceStepsV1(resources) : resourceStepsV2(resources);
    if (step !== undefined) throw noCgroup(step);
    return this.version === 2 ? ignoredOnV2(resources) : [];
  }

  update(resources: Resources): Finding[] {
    return this.apply(resources);
  }

  delegate(): void {
    // Nothing is delegated.
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
    // Only the container's first process is known, and the caller signals that one.
  }

  remove(): void {
    // Nothing was made.
  }
}
