import type { Undo } from '../core/undo.ts';
import type { Child } from '../native/child.ts';
import { sendDescriptor } from '../native/socket.ts';
import { removePidFile, writePidFile } from './pid-file.ts';

/** Gives the caller the process: its pid in `pidFile`, its pidfd over the socket of --pidfd-socket, with `payload`. */
export function reportProcess(
  { pid, pidfd }: Child,
  to: { pidFile: string | undefined; pidfdSocket: number | undefined; payload: 'standard' | 'setns' },
  undo: Undo,
): void {
  const { pidFile, pidfdSocket, payload } = to;
  if (pidfdSocket !== undefined) sendDescriptor(pidfdSocket, payload, pidfd);
  if (pidFile === undefined) return;
  writePidFile(pidFile, pid);
  undo.onFailure('remove its pid file', () => {
    removePidFile(pidFile);
  });
}
