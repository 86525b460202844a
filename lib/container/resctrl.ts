import { joinClass, leaveClass, planClass } from '../resctrl/class.ts';
import { resctrlRoot } from '../resctrl/mount.ts';
import type { Linux } from '../spec/types.ts';
import type { ContainerRecord } from './record.ts';
import { writeRecord } from './store.ts';
import type { ContainerFolder } from './store.ts';
import type { Undo } from './undo.ts';

/** Puts process `pid` into the class of linux.intelRdt. What is to be made is in the record before it is. */
export function joinResctrl(
  pid: number,
  linux: Linux | undefined,
  folder: ContainerFolder,
  record: ContainerRecord,
  undo: Undo,
): void {
  const intelRdt = linux?.intelRdt;
  if (intelRdt === undefined) return;
  const root = resctrlRoot();
  const resctrl = planClass(root, intelRdt, record.id);
  record.resctrl = resctrl;
  writeRecord(folder, record);
  undo.onFailure('remove its resctrl groups', () => {
    leaveClass(resctrl);
  });
  joinClass(root, intelRdt, resctrl, pid);
}

/** Removes what joinResctrl made. May be repeated. */
export function leaveResctrl({ resctrl }: ContainerRecord): void {
  if (resctrl !== undefined) leaveClass(resctrl);
}
