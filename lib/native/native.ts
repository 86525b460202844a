/**
 * The door to native code: libtsrun.so through koffi, one file per subject. All of it is synchronous. A
 * failed system call throws systemError of lib/core/error.ts, unless the function says that it returns -errno.
 */

export { spawn } from './spawn.ts';
export type { SpawnRequest, Spawned } from './spawn.ts';
export { sealedMemfd, sealedMemfdOfFile } from './memfd.ts';
export {
  acceptSocket,
  connectSocket,
  connectStream,
  listenSocket,
  receiveDescriptor,
  sendDescriptor,
  socketPair,
} from './socket.ts';
export { receiveMessage, sendMessage } from '../engine/decode-message.ts';
export type { Message } from '../engine/decode-message.ts';
export { pidfdOpen, pidfdSignal, reap, setSubreaper, waitPidfd } from './process.ts';
export { flock, openat2, resolveFlags, setCloexec, umount2 } from './file.ts';
export type { Openat2Request } from './file.ts';
export { foreground, holdSignals, releaseSignals } from './foreground.ts';
