import { cgroupManager } from '../cgroup/cgroup-manager.ts';
import { markCgroups } from '../cgroup/ownership-mark.ts';
import { cgroupOwner } from '../cgroup/delegation.ts';
import type { CgroupRecord } from '../cgroup/record.ts';
import type { Config } from '../config/types.ts';
import type { Tell } from '../core/finding.ts';
import type { Undo } from '../core/undo.ts';
import { ownerName } from '../state/cgroup-owner-name.ts';
import type { ContainerFolder } from '../state/folder.ts';
import type { ContainerRecord } from '../state/record.ts';
import { writeRecord } from '../state/store.ts';
import { sigkill } from '../host/signals.ts';

/** Makes the cgroups of a container, marks them as its own, and applies linux.resources. */
export function createContainerCgroups(
  { bundle: { config }, cgroup }: { bundle: { config: Config }; cgroup: CgroupRecord },
  folder: ContainerFolder,
  record: ContainerRecord,
  warn: Tell,
  undo: Undo,
): void {
  const manager = cgroupManager(cgroup);
  manager.create();
  const mark = markCgroups(cgroup, ownerName(record, folder));
  if (mark !== undefined) record.cgroup = { ...cgroup, mark };
  undo.onFailure('remove its cgroups', () => {
    manager.kill(sigkill);
    manager.remove();
  });
  record.ownsCgroup = true;
  writeRecord(folder, record);
  manager.apply(config.linux?.resources).forEach(warn);
  const uid = cgroupOwner(config);
  if (uid !== undefined) manager.delegate(uid);
}
