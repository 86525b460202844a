/** True when `error` is the failure of a system call with this name (`ENOENT`), as node:fs throws it. */
export function isErrno(error: unknown, name: string): boolean {
  return error instanceof Error && 'code' in error && error.code === name;
}
