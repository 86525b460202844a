import { TsrunError } from '../core/error.ts';
import { changeClass, joinClass, leaveClass, planClass } from '../resctrl/class.ts';
import { resctrlRoot } from '../resctrl/mount.ts';
import { pointerTo } from '../core/pointer.ts';
import type { IntelRdt, Linux } from '../config/types.ts';
import type { ContainerRecord } from '../state/record.ts';
import { writeRecord } from '../state/store.ts';
import type { ContainerFolder } from '../state/folder.ts';
import type { Undo } from '../core/undo.ts';

/** Puts process `pid` into the class of linux.intelRdt. The record names the class before it is made. */
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

/**
 * Changes the schemata of the container's class; returns a function that undoes it.
 * @throws TsrunError 'state' when it has no class
 */
export function changeResctrl({ id, resctrl }: ContainerRecord, intelRdt: IntelRdt): () => void {
  const [asked] = Object.keys(intelRdt);
  if (asked === undefined) return () => undefined;
  if (resctrl === undefined) {
    throw new TsrunError('state', `container ${id} has no class of Intel RDT`, {
      pointer: pointerTo('/linux/intelRdt', asked),
      hint: 'linux.intelRdt of its config puts it into one when it is created',
    });
  }
  return changeClass(resctrlRoot(), resctrl.directory, intelRdt);
}

/** Removes the groups of joinResctrl(). May be repeated. */
export function leaveResctrl({ resctrl }: ContainerRecord): void {
  if (resctrl !== undefined) leaveClass(resctrl);
}
