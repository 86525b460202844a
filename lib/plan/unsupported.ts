import { TsrunError } from '../errors.ts';
import type { Config } from '../spec/types.ts';

/**
 * Refuses what the init cannot do yet. To run the container without it would be worse: most of these are what
 * its owner relies on to be safe.
 * @throws TsrunError 'unsupported' with the pointer
 */
export function refuseUnsupported({ process = { cwd: '/' }, linux = {} }: Config): void {
  refuse('/process', process, [
    'apparmorProfile',
    'selinuxLabel',
    'scheduler',
    'ioPriority',
    'execCPUAffinity',
  ]);
  refuse('/linux', linux, ['seccomp', 'personality', 'memoryPolicy', 'netDevices', 'intelRdt']);
}

function refuse<T extends object>(pointer: string, object: T, names: readonly (keyof T & string)[]): void {
  for (const name of names) {
    const value = object[name];
    // An empty label or profile is what Go programs write for "none".
    if (value === undefined || value === '') continue;
    throw new TsrunError('unsupported', `${pointer.slice(1)}.${name} is not supported`, {
      pointer: `${pointer}/${name}`,
    });
  }
}
