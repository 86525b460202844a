import { call, checked } from './library.ts';
import { receivePacket, sendPacket } from './packet.ts';

/** The kernel sends dumps in parts of at most 32 KiB (netlink_dump in net/netlink/af_netlink.c). */
const receiveBytes = 32_768;

/**
 * Opens a rtnetlink(7) socket in the network namespace of the descriptor `namespace`, or in tsrun's own. tsrun stays
 * in its own namespace.
 *
 * @throws TsrunError 'system': EPERM without CAP_SYS_ADMIN in both namespaces (setns(2)).
 */
export function openNetlink(namespace?: number): number {
  return checked('open a netlink socket', call('tsrun_netlink', namespace ?? -1));
}

/** Sends one netlink message, or several one after the other. */
export function sendNetlink(sock: number, bytes: Uint8Array): void {
  sendPacket(sock, 'the kernel (netlink)', bytes);
}

/** Receives the next message or messages of the kernel; waits until there is one. */
export function receiveNetlink(sock: number): Buffer {
  return receivePacket(sock, 'the kernel (netlink)', receiveBytes)?.packet ?? Buffer.alloc(0);
}
