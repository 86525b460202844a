/** process.env as execve(2) gets it. */
export interface Environment {
  env: string[];
  /** The value of PATH, '' without one. */
  path: string;
  /** HOME has a value; an empty one counts as none. */
  hasHome: boolean;
}

/** `NAME=value` entries in their order; the last one of a name wins, and `extra` comes last. */
export function compileEnvironment(env: readonly string[], extra: readonly string[]): Environment {
  const values = new Map<string, string>();
  for (const entry of [...env, ...extra]) values.set(entry.slice(0, entry.indexOf('=')), entry);
  const hasHome = (values.get('HOME') ?? 'HOME=') !== 'HOME=';
  if (!hasHome) values.delete('HOME');
  return { env: [...values.values()], path: (values.get('PATH') ?? 'PATH=').slice('PATH='.length), hasHome };
}
