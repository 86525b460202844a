import type { BlockIO, Integer, ThrottleDevice } from '../../config/types.ts';
import type { CgroupWrite } from '../cgroup-write.ts';
import { decimal, isSet, resourcesPointer } from '../cgroup-write.ts';

const pointer = `${resourcesPointer}/blockIO`;

/** linux.resources.blockIO for cgroup v2: weights of the BFQ scheduler, else of the kernel's own; io.max. */
export function ioStepsV2(blockIO: BlockIO): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (names: Pick<CgroupWrite, 'file' | 'alias'>, at: string, value: string): void => {
    writes.push({ step: 'write', controller: 'io', ...names, value, pointer: `${pointer}/${at}` });
  };
  const addWeight = (at: string, weight: Integer | undefined, prefix = ''): void => {
    if (!isSet(weight)) return;
    const alias = { file: 'io.weight', value: `${prefix}${String(ioWeight(weight))}` };
    add({ file: 'io.bfq.weight', alias }, at, `${prefix}${decimal(weight)}`);
  };
  addWeight('weight', blockIO.weight);
  for (const [index, device] of (blockIO.weightDevice ?? []).entries()) {
    addWeight(`weightDevice/${String(index)}/weight`, device.weight, `${deviceNumber(device)} `);
  }
  const throttle = (property: keyof BlockIO, key: string, devices: readonly ThrottleDevice[] = []): void => {
    for (const [index, device] of devices.entries()) {
      const rate = isSet(device.rate) ? decimal(device.rate) : 'max';
      add({ file: 'io.max' }, `${property}/${String(index)}/rate`, `${deviceNumber(device)} ${key}=${rate}`);
    }
  };
  throttle('throttleReadBpsDevice', 'rbps', blockIO.throttleReadBpsDevice);
  throttle('throttleWriteBpsDevice', 'wbps', blockIO.throttleWriteBpsDevice);
  throttle('throttleReadIOPSDevice', 'riops', blockIO.throttleReadIOPSDevice);
  throttle('throttleWriteIOPSDevice', 'wiops', blockIO.throttleWriteIOPSDevice);
  return writes;
}

/** The io.weight (1 to 10000) of a weight of the configuration (10 to 1000). */
export function ioWeight(weight: Integer): number {
  return Math.floor(1 + ((Number(weight) - 10) * 9999) / 990);
}

function deviceNumber({ major, minor }: { major: number; minor: number }): string {
  return `${String(major)}:${String(minor)}`;
}
