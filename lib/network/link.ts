/** Network devices in rtnetlink(7): struct ifinfomsg and its attributes. */
import { decodeAttributes, numberAttribute, stringAttribute, stringOf } from './netlink-message.ts';

export const linkTypes = { set: 16, get: 18 } as const;

const attributes = { name: 3, namespace: 28 } as const;
const headerBytes = 16;
/** IFF_UP. */
const up = 1;

export interface Link {
  /** Its number in the namespace. */
  index: number;
  name: string;
  up: boolean;
}

/** Changes of a device; properties that are absent stay. */
export interface LinkChange {
  /** The number of the device in its namespace. */
  index: number;
  name?: string;
  up?: boolean;
  /** Descriptor of the network namespace it moves to. */
  namespace?: number;
}

/** The body of RTM_SETLINK. */
export function encodeLinkChange({ index, name, up: wanted, namespace }: LinkChange): Buffer {
  return Buffer.concat([
    header(index, wanted),
    ...(namespace === undefined ? [] : [numberAttribute(attributes.namespace, namespace)]),
    ...(name === undefined ? [] : [stringAttribute(attributes.name, name)]),
  ]);
}

/** The body of RTM_GETLINK for one device, by its number or its name. */
export function encodeLinkQuery({ index = 0, name }: { index?: number; name?: string }): Buffer {
  return Buffer.concat([
    header(index),
    ...(name === undefined ? [] : [stringAttribute(attributes.name, name)]),
  ]);
}

/** The body of an answer to RTM_GETLINK. */
export function decodeLink(body: Buffer): Link {
  const found = decodeAttributes(body.subarray(headerBytes));
  return {
    index: body.readInt32LE(4),
    name: stringOf(found.get(attributes.name)),
    up: (body.readUInt32LE(8) & up) !== 0,
  };
}

function header(index: number, wanted?: boolean): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeInt32LE(index, 4);
  if (wanted !== undefined) {
    bytes.writeUInt32LE(wanted ? up : 0, 8);
    bytes.writeUInt32LE(up, 12);
  }
  return bytes;
}
