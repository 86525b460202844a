import type { BlockIO, Integer, ThrottleDevice } from '../../config/types.ts';
import type { CgroupWrite } from '../cgroup-write.ts';
import { decimal, isSet, resourcesPointer } from '../cgroup-write.ts';

const pointer = `${resourcesPointer}/blockIO`;

/** Weights belong to the BFQ scheduler; some distributions keep the names they had with CFQ. */
const weightFile = { file: 'blkio.bfq.weight', alias: { file: 'blkio.weight' } };
const weightDeviceFile = { file: 'blkio.bfq.weight_device', alias: { file: 'blkio.weight_device' } };

/** linux.resources.blockIO for cgroup v1 (config-linux.md, "Block IO"; rates in bytes or operations a second). */
export function blkioStepsV1(blockIO: BlockIO): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (names: Pick<CgroupWrite, 'file' | 'alias'>, at: string, value: string): void => {
    writes.push({ step: 'write', controller: 'blkio', ...names, value, pointer: `${pointer}/${at}` });
  };
  if (isSet(blockIO.weight)) add(weightFile, 'weight', decimal(blockIO.weight));
  if (isSet(blockIO.leafWeight))
    add({ file: 'blkio.leaf_weight' }, 'leafWeight', decimal(blockIO.leafWeight));
  for (const [index, device] of (blockIO.weightDevice ?? []).entries()) {
    const at = `weightDevice/${String(index)}`;
    const entry = (weight: Integer): string => `${deviceNumber(device)} ${decimal(weight)}`;
    if (isSet(device.weight)) add(weightDeviceFile, `${at}/weight`, entry(device.weight));
    if (isSet(device.leafWeight)) {
      add({ file: 'blkio.leaf_weight_device' }, `${at}/leafWeight`, entry(device.leafWeight));
    }
  }
  const throttle = (property: keyof BlockIO, file: string, devices: readonly ThrottleDevice[] = []): void => {
    for (const [index, device] of devices.entries()) {
      add({ file: `blkio.throttle.${file}` }, `${property}/${String(index)}/rate`, throttleValue(device));
    }
  };
  throttle('throttleReadBpsDevice', 'read_bps_device', blockIO.throttleReadBpsDevice);
  throttle('throttleWriteBpsDevice', 'write_bps_device', blockIO.throttleWriteBpsDevice);
  throttle('throttleReadIOPSDevice', 'read_iops_device', blockIO.throttleReadIOPSDevice);
  throttle('throttleWriteIOPSDevice', 'write_iops_device', blockIO.throttleWriteIOPSDevice);
  return writes;
}

function deviceNumber({ major, minor }: { major: number; minor: number }): string {
  return `${String(major)}:${String(minor)}`;
}

/** The kernel takes a rate of 0 as no limit. */
function throttleValue(device: ThrottleDevice): string {
  return `${deviceNumber(device)} ${decimal(device.rate)}`;
}
