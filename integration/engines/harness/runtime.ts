import { tsrun } from '../../harness/programs.ts';

/** The runtimes every engine is tried with: ours, and the one it is measured by. */
export const runtimeNames = ['tsrun', 'runc'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

/** A runtime as an engine sees it: a name and a program. */
export interface Runtime {
  name: RuntimeName;
  path: string;
}

export const runtimes: Record<RuntimeName, Runtime> = {
  tsrun: { name: 'tsrun', path: tsrun },
  runc: { name: 'runc', path: '/usr/sbin/runc' },
};
