import { TsrunError } from '../core/error.ts';
import { quoted } from '../core/printable.ts';

/** The most characters a container id may have. */
const maxLength = 1024;

/**
 * Checks that an id can be the name of a folder of ours: letters, digits and `_ + . -`, at most 1024 of
 * them, and neither `.` nor `..`.
 *
 * @throws TsrunError 'id', with the words `invalid container ID format` that callers look for.
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
  // The id is a folder name: these two would be somebody else's folder.
  if (id === '.' || id === '..') return 'it names a directory, not a container';
  return undefined;
}
