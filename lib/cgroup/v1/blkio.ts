import type { BlockIO, Integer, ThrottleDevice } from '../../config/types.ts';
import { cgroupWrite, type CgroupWrite, decimal, deviceNumber, isSet } from '../cgroup-write.ts';

type Files = Pick<CgroupWrite, 'file' | 'alias'>;

/** Weights belong to the BFQ scheduler; some distributions keep the names they had with CFQ. */
const weightFile: Files = { file: 'blkio.bfq.weight', alias: { file: 'blkio.weight' } };
const weightDeviceFile: Files = { file: 'blkio.bfq.weight_device', alias: { file: 'blkio.weight_device' } };

/** linux.resources.blockIO for cgroup v1 (config-linux.md, "Block IO"; rates in bytes or operations a second). */
export function blkioStepsV1(blockIO: BlockIO): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (files: Files, value: string, ...at: (string | number)[]): void => {
    writes.push({ ...cgroupWrite(files.file, value, 'blockIO', ...at), ...files });
  };
  if (isSet(blockIO.weight)) add(weightFile, decimal(blockIO.weight), 'weight');
  if (isSet(blockIO.leafWeight)) {
    add({ file: 'blkio.leaf_weight' }, decimal(blockIO.leafWeight), 'leafWeight');
  }
  for (const [index, device] of (blockIO.weightDevice ?? []).entries()) {
    const at = ['weightDevice', index] as const;
    const entry = (weight: Integer): string => `${deviceNumber(device)} ${decimal(weight)}`;
    if (isSet(device.weight)) add(weightDeviceFile, entry(device.weight), ...at, 'weight');
    if (isSet(device.leafWeight)) {
      add({ file: 'blkio.leaf_weight_device' }, entry(device.leafWeight), ...at, 'leafWeight');
    }
  }
  const throttle = (property: keyof BlockIO, file: string, devices: readonly ThrottleDevice[] = []): void => {
    for (const [index, device] of devices.entries()) {
      add({ file: `blkio.throttle.${file}` }, throttleValue(device), property, index, 'rate');
    }
  };
  throttle('throttleReadBpsDevice', 'read_bps_device', blockIO.throttleReadBpsDevice);
  throttle('throttleWriteBpsDevice', 'write_bps_device', blockIO.throttleWriteBpsDevice);
  throttle('throttleReadIOPSDevice', 'read_iops_device', blockIO.throttleReadIOPSDevice);
  throttle('throttleWriteIOPSDevice', 'write_iops_device', blockIO.throttleWriteIOPSDevice);
  return writes;
}

/** The kernel takes a rate of 0 as no limit. */
function throttleValue(device: ThrottleDevice): string {
  return `${deviceNumber(device)} ${decimal(device.rate)}`;
}
