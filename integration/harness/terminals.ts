import { tsrun } from './programs.ts';
import { background, type Background, printed } from './run.ts';
import type { Scene } from './scene.ts';
import { sharedProgram } from './shared-program.ts';

/** Reacts to a resize and to control-C, once it has said `ready`. */
export const trapScript =
  "trap 'echo resized $(stty size)' WINCH; trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done";

/** A console or pidfd socket with its reader, which says what it received. */
export async function receiver(scene: Scene): Promise<{ socket: string; reader: Background }> {
  const socket = scene.path('socket');
  const reader = scene.keep(background(sharedProgram('recvfd'), [socket]));
  await printed(reader, 'listening\n');
  return { socket, reader };
}

/** Runs tsrun on a terminal, as a person does. */
export function onTerminal(scene: Scene, ...args: readonly string[]): Background {
  return scene.keep(background(sharedProgram('ptyrun'), [tsrun, '--root', scene.root, ...args]));
}
