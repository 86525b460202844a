import { error, type Report } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { hasNamespace } from '../namespaces.ts';
import type { Config } from '../types.ts';

/** Network devices move into the container's own network namespace. */
export function netDevices({ linux }: Config, report: Report): void {
  const devices = Object.entries(linux?.netDevices ?? {});
  if (devices.length > 0 && !hasNamespace(linux, 'network')) {
    report(error('/linux/netDevices', 'needs a namespace of type "network"'));
  }
  const names = new Map<string, string>();
  for (const [hostName, { name = '' }] of devices) {
    const pointer = pointerTo('/linux/netDevices', hostName);
    if (!isDeviceName(hostName)) report(error(pointer, 'no network device can have this name'));
    if (hostName === 'lo') report(error(pointer, 'the loopback device cannot leave its namespace'));
    if (name !== '' && !isDeviceTemplate(name))
      report(error(`${pointer}/name`, 'no network device can have this name'));
    const inside = name === '' ? hostName : name;
    const other = names.get(inside);
    // A name with %d is a template: the kernel picks the number.
    if (other !== undefined && !inside.includes('%d')) {
      report(error(pointer, `two devices would be called ${inside} in the container`));
    }
    names.set(inside, hostName);
  }
}

/** A name, perhaps with one %d for a number the kernel picks (dev_alloc_name). */
function isDeviceTemplate(name: string): boolean {
  return Buffer.byteLength(name) < 16 && isDeviceName(name.replace('%d', '0'));
}

/** dev_valid_name of the kernel: IFNAMSIZ counts the NUL. A % is the start of a template. */
function isDeviceName(name: string): boolean {
  return Buffer.byteLength(name) < 16 && name !== '.' && name !== '..' && /^[^/:%\s]+$/.test(name);
}
