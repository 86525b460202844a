import { closeSync, fstatSync, openSync } from 'node:fs';
import { fileError, TsrunError } from '../core/error.ts';
import { checkMove, moveDevice, returnDevice } from '../network/move.ts';
import { Side } from '../network/side.ts';
import { pointerTo } from '../core/pointer.ts';
import type { Linux } from '../config/types.ts';
import type { Undo } from '../core/undo.ts';

const root = '/linux/netDevices';

/**
 * Moves the devices of linux.netDevices into the network namespace of process `pid`, all or none: checks come before
 * the first move, and `undo` moves devices back.
 */
export function moveNetDevices(pid: number, linux: Linux | undefined, undo: Undo): void {
  const moves = Object.entries(linux?.netDevices ?? {}).map(([name, { name: newName = '' }]) => ({
    name,
    newName: newName === '' ? name : newName,
    pointer: pointerTo(root, name),
  }));
  if (moves.length === 0) return;
  const ours = openNamespace('self', undo);
  const theirs = openNamespace(pid, undo);
  checkDifferent(ours, theirs);
  const from = openSide(ours, undo);
  const to = openSide(theirs, undo);
  for (const move of moves) checkMove(from, to, move);
  for (const move of moves) {
    moveDevice(from, to, move, (moved) => {
      undo.onFailure(`move the network device ${move.name} back`, () => {
        returnDevice(from, to, moved);
      });
    });
  }
}

function openNamespace(pid: number | 'self', undo: Undo): number {
  const path = `/proc/${pid}/ns/net`;
  try {
    const fd = openSync(path, 'r');
    undo.always(`close ${path}`, () => {
      closeSync(fd);
    });
    return fd;
  } catch (error) {
    throw fileError(`open the network namespace ${path}`, error, { pointer: root });
  }
}

/** A path in linux.namespaces may name the network namespace of tsrun. */
function checkDifferent(ours: number, theirs: number): void {
  const [a, b] = [ours, theirs].map((fd) => fstatSync(fd, { bigint: true }));
  if (a?.dev !== b?.dev || a?.ino !== b?.ino) return;
  throw new TsrunError('config', 'the container has no network namespace of its own', {
    pointer: root,
    hint: 'the network namespace in linux.namespaces is that of tsrun',
  });
}

function openSide(namespace: number, undo: Undo): Side {
  const side = openedSide(namespace);
  undo.always('close a netlink socket', () => {
    side.close();
  });
  return side;
}

function openedSide(namespace: number): Side {
  try {
    return new Side(namespace);
  } catch (error) {
    if (!(error instanceof TsrunError) || error.errno === undefined) throw error;
    throw error.with({
      pointer: root,
      hint: 'moving network devices takes CAP_SYS_ADMIN and CAP_NET_ADMIN over both network namespaces',
    });
  }
}
