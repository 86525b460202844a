import { systemError } from '../core/error.ts';
import { native } from './library.ts';
import type { Native } from './library.ts';
import { receivePacket, sendPacket } from './packet.ts';

const openNative: Native<[number]> = native('int tsrun_netlink(int)');
/** The kernel's parts of a dump have at most 32 KiB (netlink_dump). */
const receiveBytes = 32_768;

/**
 * Opens a rtnetlink(7) socket in the network namespace of the descriptor `namespace`, or in tsrun's own.
 * Which namespace tsrun itself is in does not change. EPERM without CAP_SYS_ADMIN here and there (setns(2)).
 */
export function openNetlink(namespace?: number): number {
  const result = openNative(namespace ?? -1);
  if (result < 0) throw systemError('open a netlink socket', result);
  return result;
}

/** Sends one netlink message, or several one after the other. */
export function sendNetlink(sock: number, bytes: Uint8Array): void {
  sendPacket(sock, 'the kernel (netlink)', bytes);
}

/** Receives what the kernel says next: one message or several. Waits for it; an answer is there at once. */
export function receiveNetlink(sock: number): Buffer {
  return receivePacket(sock, 'the kernel (netlink)', receiveBytes)?.packet ?? Buffer.alloc(0);
}
