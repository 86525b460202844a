/** process.env as execve(2) gets it. */
import { TsrunError } from '../core/error.ts';

export interface Environment {
  env: string[];
  /** The value of PATH, '' without one. */
  path: string;
  /** HOME has a value; an empty one counts as none. */
  hasHome: boolean;
}

/**
 * `NAME=value` entries in their order, the last one of a name wins; `extra` after and above all.
 * @throws TsrunError 'config' for an entry without a name or without `=`
 */
export function compileEnvironment(env: readonly string[], extra: readonly string[]): Environment {
  const values = new Map<string, string>();
  env.forEach((entry, index) => {
    const equals = entry.indexOf('=');
    if (equals <= 0 || entry.includes('\0')) {
      throw new TsrunError(
        'config',
        `invalid environment variable ${JSON.stringify(entry)}: not NAME=value`,
        {
          pointer: `/process/env/${index}`,
        },
      );
    }
    values.set(entry.slice(0, equals), entry);
  });
  for (const entry of extra) values.set(entry.slice(0, entry.indexOf('=')), entry);
  const hasHome = (values.get('HOME') ?? 'HOME=') !== 'HOME=';
  if (!hasHome) values.delete('HOME');
  return { env: [...values.values()], path: (values.get('PATH') ?? 'PATH=').slice('PATH='.length), hasHome };
}
