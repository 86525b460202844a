import { call } from './library.ts';

/** The name of a user of the host (getpwuid(3)), or undefined when the host does not know it. */
export function userName(uid: number): string | undefined {
  const buffer = Buffer.allocUnsafe(256);
  const length = call('tsrun_user_name', uid, buffer, buffer.length);
  return length > 0 ? buffer.toString('utf8', 0, length) : undefined;
}
