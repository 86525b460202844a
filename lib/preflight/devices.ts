import { noResctrl } from '../resctrl/mount.ts';
import { error } from '../core/finding.ts';
import { pointerTo } from '../core/pointer.ts';
import type { HostCheck } from './host-view.ts';

/** config-linux.md, "Network Devices": they are moved from where tsrun runs. */
export const networkDevices: HostCheck = ({ config: { linux }, host }, report) => {
  const names = Object.keys(linux?.netDevices ?? {});
  const present = names.length === 0 ? undefined : host.networkDevices();
  for (const name of names) {
    if (present?.has(name) !== false) continue;
    report(error(pointerTo('/linux/netDevices', name), 'there is no network device of this name'));
  }
};

const diskLists = [
  'weightDevice',
  'throttleReadBpsDevice',
  'throttleWriteBpsDevice',
  'throttleReadIOPSDevice',
  'throttleWriteIOPSDevice',
] as const;

/** config-linux.md, "Block IO": the kernel limits what goes to disks that are there. */
export const disks: HostCheck = ({ config: { linux }, host }, report) => {
  const blockIO = linux?.resources?.blockIO;
  for (const list of diskLists) {
    for (const [i, { major, minor }] of (blockIO?.[list] ?? []).entries()) {
      if (host.isDisk(major, minor)) continue;
      const reason = `there is no disk ${major}:${minor}; limits of a partition are those of its disk`;
      report(error(pointerTo('/linux/resources/blockIO', list, i), reason));
    }
  }
};

/** config-linux.md, "IntelRdt". */
export const intelRdt: HostCheck = ({ config: { linux }, host }, report) => {
  if (linux?.intelRdt === undefined || host.hasResctrl()) return;
  const { pointer = '', message, hint } = noResctrl();
  report(error(pointer, message, hint));
};
