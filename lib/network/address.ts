/** Addresses of network devices in rtnetlink(7): struct ifaddrmsg and its attributes. */
import {
  attribute,
  decodeAttributes,
  numberAttribute,
  stringAttribute,
  stringOf,
} from './netlink-message.ts';

export const addressTypes = { add: 20, get: 22 } as const;

const attributes = {
  address: 1,
  local: 2,
  label: 3,
  broadcast: 4,
  cacheInfo: 6,
  flags: 8,
  priority: 9,
} as const;
const headerBytes = 8;
const permanent = 0x80;
/** RT_SCOPE_UNIVERSE. */
const universe = 0;
/**
 * Flags that an administrator sets: NODAD, HOMEADDRESS, PERMANENT, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN. The
 * kernel derives the others (SECONDARY, TENTATIVE, DEPRECATED …).
 */
const configuredFlags = 0x02 | 0x10 | permanent | 0x100 | 0x200 | 0x400;

/** An address with all that is needed to add it to a device again. */
export interface Address {
  /** The number of the device. */
  index: number;
  /** AF_INET or AF_INET6. */
  family: number;
  prefixLength: number;
  /** IFA_F_*. */
  flags: number;
  scope: number;
  /** IPv4: usually the device's name, perhaps with `:` and more behind it. */
  label: string;
  /** IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_CACHEINFO and IFA_RT_PRIORITY as they were. */
  values: ReadonlyMap<number, Buffer>;
}

const copied: readonly number[] = [
  attributes.address,
  attributes.local,
  attributes.broadcast,
  // Its preferred lifetime says whether new connections may use the address.
  attributes.cacheInfo,
  attributes.priority,
];

/** The body of RTM_GETADDR for the addresses of all devices: older kernels cannot list those of one. */
export function encodeAddressQuery(): Buffer {
  return Buffer.alloc(headerBytes);
}

/** The body of an entry of that list. */
export function decodeAddress(body: Buffer): Address {
  const found = decodeAttributes(body.subarray(headerBytes));
  return {
    family: body.readUInt8(0),
    prefixLength: body.readUInt8(1),
    // The header has room for eight flags only.
    flags: found.get(attributes.flags)?.readUInt32LE(0) ?? body.readUInt8(2),
    scope: body.readUInt8(3),
    index: body.readUInt32LE(4),
    label: stringOf(found.get(attributes.label)),
    values: new Map([...found].filter(([type]) => copied.includes(type))),
  };
}

/** True for an address that moves with its device (config-linux.md, "Network Devices"). */
export function isKept({ flags, scope }: Address): boolean {
  return (flags & permanent) !== 0 && scope === universe;
}

/** The body of RTM_NEWADDR for the device `index`, which was called `oldName` when it had the address. */
export function encodeAddress(address: Address, index: number, oldName: string, newName: string): Buffer {
  const flags = address.flags & configuredFlags;
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(address.family, 0);
  header.writeUInt8(address.prefixLength, 1);
  header.writeUInt8(flags & 0xff, 2);
  header.writeUInt8(address.scope, 3);
  header.writeUInt32LE(index, 4);
  const label = relabel(address.label, oldName, newName);
  return Buffer.concat([
    header,
    ...[...address.values].map(([type, value]) => attribute(type, value)),
    ...(label === '' ? [] : [stringAttribute(attributes.label, label)]),
    numberAttribute(attributes.flags, flags),
  ]);
}

/** The label with the device's new name, with which it must begin; empty when it would be too long. */
function relabel(label: string, oldName: string, newName: string): string {
  if (label === '' || label === oldName) return '';
  const moved = label.startsWith(`${oldName}:`) ? newName + label.slice(oldName.length) : label;
  return Buffer.byteLength(moved) < 16 ? moved : '';
}

/** `10.0.0.1/24`, for messages. */
export function addressText({ values, prefixLength }: Address): string {
  const bytes = values.get(attributes.local) ?? values.get(attributes.address) ?? Buffer.alloc(0);
  if (bytes.length === 4) return `${[...bytes].join('.')}/${prefixLength}`;
  const groups = Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return `${groups.join(':')}/${prefixLength}`;
}
