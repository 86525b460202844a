import { errnos } from '../core/errno.ts';
import { systemError, TsrunError } from '../core/error.ts';
import {
  type Address,
  addressText,
  addressTypes,
  decodeAddress,
  encodeAddress,
  encodeAddressQuery,
} from './address.ts';
import { NetlinkConnection } from './connection.ts';
import {
  decodeLink,
  encodeLinkChange,
  encodeLinkQuery,
  type Link,
  type LinkChange,
  linkTypes,
} from './link.ts';
import { messageFlags } from './netlink-message.ts';

const linkHints: ReadonlyMap<number, string> = new Map([
  [errnos.EINVAL, 'devices of some kinds stay in their namespace (netns-local in `ethtool -k`)'],
  [errnos.EPERM, 'this takes CAP_NET_ADMIN over both network namespaces'],
]);

const addressHints: ReadonlyMap<number, string> = new Map([
  [errnos.EACCES, 'IPv6 is off in that namespace (sysctl net.ipv6.conf.default.disable_ipv6)'],
  [errnos.EOPNOTSUPP, 'the kernel has no IPv6 there'],
]);

/** One of the two network namespaces a device moves between. */
export class Side {
  /** Descriptor of the namespace. */
  readonly namespace: number;
  readonly #connection: NetlinkConnection;

  constructor(namespace: number) {
    this.namespace = namespace;
    this.#connection = new NetlinkConnection(namespace);
  }

  close(): void {
    this.#connection.close();
  }

  /** The device that has this name here, or this other name (altname). */
  find(name: string, pointer: string): Link | undefined {
    try {
      return this.#get(encodeLinkQuery({ name }), `look for the network device ${name}`, pointer);
    } catch (error) {
      if (error instanceof TsrunError && error.errno === errnos.ENODEV) return undefined;
      throw error;
    }
  }

  /** The device with this number; ENODEV when it is gone. */
  byIndex(index: number, pointer: string): Link {
    return this.#get(encodeLinkQuery({ index }), `look for network device number ${index}`, pointer);
  }

  /** All addresses of a device, in the order they were given. */
  addresses(index: number, pointer: string): Address[] {
    return this.#connection
      .list({
        type: addressTypes.get,
        body: encodeAddressQuery(),
        what: 'list the network addresses',
        pointer,
      })
      .map(decodeAddress)
      .filter((address) => address.index === index);
  }

  /** Changes a device; `what` says it in words. */
  change(change: LinkChange, what: string, pointer: string): void {
    this.#connection.request({
      type: linkTypes.set,
      body: encodeLinkChange(change),
      what,
      pointer,
      hints: linkHints,
    });
  }

  /** Gives a device an address that it had as `oldName`. */
  addAddress(address: Address, { index, name }: Link, oldName: string, pointer: string): void {
    this.#connection.request({
      type: addressTypes.add,
      body: encodeAddress(address, index, oldName, name),
      flags: messageFlags.create | messageFlags.exclusive,
      what: `give ${name} the address ${addressText(address)} again`,
      pointer,
      hints: addressHints,
    });
  }

  #get(body: Buffer, what: string, pointer: string): Link {
    const [answer] = this.#connection.request({ type: linkTypes.get, body, what, pointer });
    if (answer === undefined) throw systemError(what, errnos.ENODEV, { pointer });
    return decodeLink(answer);
  }
}
