import { resolve } from 'node:path';
import { TsrunError } from '../core/error.ts';
import { connectStream } from '../native/socket.ts';
import { closeAll } from '../host/filesystem.ts';

/** Connections to the sockets of the caller that get a descriptor each. They are made before anything of a container. */
export interface CallerSockets {
  console: number | undefined;
  pidfd: number | undefined;
  close(): void;
}

/** Connects to `--console-socket` and `--pidfd-socket`. */
export function connectCallerSockets(consolePath?: string, pidfdPath?: string): CallerSockets {
  const open: number[] = [];
  const close = (): void => {
    closeAll(open.splice(0));
  };
  const connect = (flag: string, path: string | undefined): number | undefined => {
    if (path === undefined) return undefined;
    const fd = connectTo(flag, resolve(path));
    open.push(fd);
    return fd;
  };
  try {
    return {
      console: connect('--console-socket', consolePath),
      pidfd: connect('--pidfd-socket', pidfdPath),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function connectTo(flag: string, path: string): number {
  try {
    return connectStream(path);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    throw error.with({
      code: 'usage',
      source: { flag },
      hint: 'somebody must listen on this AF_UNIX stream socket before the container is created',
    });
  }
}
