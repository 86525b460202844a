import { errnos } from '../core/errno.ts';
import { systemError, TsrunError } from '../core/error.ts';
import { type Address, isKept } from './address.ts';
import type { Link } from './link.ts';
import type { Side } from './side.ts';

/** One entry of linux.netDevices. */
export interface DeviceMove {
  /** Its name where it is. */
  name: string;
  /** Its new name; the kernel replaces %d by a number. */
  newName: string;
  /** JSON pointer of the entry. */
  pointer: string;
}

/** A device that has been moved, and its state before. */
export interface MovedDevice extends DeviceMove {
  /** Its number where it is now. */
  index: number;
  /** Its addresses and state in the namespace it came from. */
  addresses: readonly Address[];
  up: boolean;
}

/**
 * Checks that a device can be moved: it exists, and its new name is free. Changes nothing.
 * @throws TsrunError 'system' without the device, 'config' when the name is taken
 */
export function checkMove(from: Side, to: Side, { name, newName, pointer }: DeviceMove): void {
  findDevice(from, name, pointer);
  if (newName.includes('%') || to.find(newName, pointer) === undefined) return;
  throw new TsrunError(
    'config',
    `there is a network device ${newName} in the container's namespace already`,
    {
      pointer,
      hint: 'give it another name there, or one with %d for a number that is free',
    },
  );
}

/**
 * Moves a network device with the addresses that go with it (config-linux.md, "Network Devices"), and brings it
 * up. `moved` is called as soon as the device is in the other namespace: a later failure leaves it there. The kernel drops
 * its routes and its membership in a bridge.
 */
export function moveDevice(
  from: Side,
  to: Side,
  device: DeviceMove,
  moved: (device: MovedDevice) => void,
): void {
  const { name, newName, pointer } = device;
  const { index, up } = findDevice(from, name, pointer);
  const addresses = from.addresses(index, pointer).filter(isKept);
  // The kernel first moves the device and then renames it. When only the second step fails, the device is in the other
  // namespace with its old name. With a temporary name that no other device has it is always known where it is.
  const onTheWay = newName === name ? name : temporaryName();
  transfer(from, to, { index, name }, onTheWay, pointer);
  const arrived = findDevice(to, onTheWay, pointer);
  moved({ ...device, index: arrived.index, addresses, up });
  if (onTheWay !== newName) {
    to.change({ index: arrived.index, name: newName }, `rename ${name} to ${newName}`, pointer);
  }
  settle(to, arrived.index, addresses, name, true, pointer);
}

/** Unlikely to be taken; if it is, the kernel refuses the move. (node:crypto would be slow to load.) */
function temporaryName(): string {
  return `tsrun${Math.floor(Math.random() * 2 ** 32).toString(16)}`;
}

/** Undoes moveDevice() at any point after `moved`; with the same `from` and `to`. */
export function returnDevice(from: Side, to: Side, device: MovedDevice): void {
  const { index, name, addresses, up, pointer } = device;
  transfer(to, from, to.byIndex(index, pointer), name, pointer);
  settle(from, findDevice(from, name, pointer).index, addresses, name, up, pointer);
}

/** Moves and renames a device in one request. */
function transfer(
  from: Side,
  to: Side,
  { index, name }: Pick<Link, 'index' | 'name'>,
  newName: string,
  pointer: string,
): void {
  const rename = newName === name ? {} : { name: newName };
  from.change({ index, namespace: to.namespace, ...rename }, `move the network device ${name}`, pointer);
}

/** Gives a moved device what the kernel has taken from it: addresses and the state `up`. */
function settle(
  side: Side,
  index: number,
  addresses: readonly Address[],
  oldName: string,
  up: boolean,
  pointer: string,
): void {
  const link = side.byIndex(index, pointer);
  for (const address of addresses) side.addAddress(address, link, oldName, pointer);
  if (up) side.change({ index, up }, `bring the network device ${link.name} up`, pointer);
}

function findDevice(side: Side, name: string, pointer: string): Link {
  const link = side.find(name, pointer);
  if (link === undefined) {
    throw systemError(`there is no network device ${name}`, errnos.ENODEV, { pointer });
  }
  if (link.name === name) return link;
  throw new TsrunError('config', `${name} is another name of the network device ${link.name}`, {
    pointer,
    hint: "use the device's main name",
  });
}
