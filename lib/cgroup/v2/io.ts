import type { BlockIO, Integer } from '../../config/types.ts';
import { cgroupWrite, type CgroupWrite, decimal, deviceNumber, isSet } from '../cgroup-write.ts';
import type { PropertyFiles } from './property-files.ts';

/** Weights of the BFQ scheduler; where there is none, of the kernel's own. */
const bfqWeight = 'io.bfq.weight';
const kernelWeight = 'io.weight';

/** The file of each property of linux.resources.blockIO. */
export const ioFiles = {
  weight: bfqWeight,
  weightDevice: bfqWeight,
  leafWeight: isSet,
  throttleReadBpsDevice: 'io.max',
  throttleWriteBpsDevice: 'io.max',
  throttleReadIOPSDevice: 'io.max',
  throttleWriteIOPSDevice: 'io.max',
} as const satisfies PropertyFiles<BlockIO>;

/** The keys of io.max. */
const throttleKeys = {
  throttleReadBpsDevice: 'rbps',
  throttleWriteBpsDevice: 'wbps',
  throttleReadIOPSDevice: 'riops',
  throttleWriteIOPSDevice: 'wiops',
} as const;

/** linux.resources.blockIO for cgroup v2; rates in bytes or operations a second. */
export function ioStepsV2(blockIO: BlockIO): CgroupWrite[] {
  const { weight, weightDevice = [] } = blockIO;
  const throttles = Object.entries(throttleKeys) as [keyof typeof throttleKeys, string][];
  return [
    ...weightSteps(weight, '', 'weight'),
    ...weightDevice.flatMap((device, index) =>
      weightSteps(device.weight, `${deviceNumber(device)} `, 'weightDevice', index, 'weight'),
    ),
    ...throttles.flatMap(([property, key]) =>
      (blockIO[property] ?? []).map((device, index) => {
        const rate = isSet(device.rate) ? decimal(device.rate) : 'max';
        const value = `${deviceNumber(device)} ${key}=${rate}`;
        return cgroupWrite(ioFiles[property], value, 'blockIO', property, index, 'rate');
      }),
    ),
  ];
}

function weightSteps(
  weight: Integer | undefined,
  prefix: string,
  ...at: readonly (string | number)[]
): CgroupWrite[] {
  if (!isSet(weight)) return [];
  const alias = { file: kernelWeight, value: `${prefix}${String(ioWeight(weight))}` };
  return [{ ...cgroupWrite(bfqWeight, `${prefix}${decimal(weight)}`, 'blockIO', ...at), alias }];
}

/** The io.weight (1 to 10000) for a weight of the config (10 to 1000). */
export function ioWeight(weight: Integer): number {
  return Math.floor(1 + ((Number(weight) - 10) * 9999) / 990);
}
