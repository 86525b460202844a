import { TsrunError } from '../core/error.ts';
import { quoted } from '../core/message-text.ts';

/** The most characters a container id may have. */
const maxLength = 1024;

/**
 * Checks that an id can name a container's folder: 1 to 1024 letters, digits and `_ + . -`, and neither `.` nor `..`.
 *
 * @throws TsrunError 'id', with runc's words `invalid container ID format`
 */
export function checkContainerId(id: string): void {
  const reason = invalidReason(id);
  if (reason !== undefined) {
    throw new TsrunError('id', `invalid container ID format: ${quoted(id)}: ${reason}`);
  }
}

function invalidReason(id: string): string | undefined {
  if (id === '') return 'it is empty';
  if (id.length > maxLength) return `it has more than ${String(maxLength)} characters`;
  if (!/^[A-Za-z0-9_+.-]+$/.test(id)) return 'only letters, digits and _ + . - may be in it';
  // As the name of a folder these would lead out of the state root or to itself.
  if (id === '.' || id === '..') return 'it names a directory, not a container';
  return undefined;
}
