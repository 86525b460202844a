import { execFileSync } from 'node:child_process';
import { tsrun } from './programs.ts';
import { type Result, run } from './run.ts';
import type { Scene } from './scene.ts';

/** Why nothing can be injected here; undefined when it can. */
export function noStrace(): string | undefined {
  try {
    execFileSync('strace', ['-e', 'trace=none', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'strace is not installed, or may not trace';
  }
}

/** Runs tsrun while the kernel answers as `inject` says (strace(1)): `lgetxattr:error=EIO`. */
export async function withFault(scene: Scene, inject: string, args: readonly string[]): Promise<Result> {
  const calls = inject.split(':')[0] ?? '';
  const flags = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${inject}`];
  return await run('strace', [...flags, tsrun, '--root', scene.root, ...args], { cwd: scene.folder });
}
