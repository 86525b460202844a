/** JSON pointers (RFC 6901): `/mounts/2/source`; the empty string is the whole document. */

/** The pointer to a value below `parent`. */
export function pointerTo(parent: string, ...segments: readonly (string | number)[]): string {
  return segments.reduce<string>(
    (pointer, segment) => `${pointer}/${escapeSegment(String(segment))}`,
    parent,
  );
}

function escapeSegment(segment: string): string {
  return segment.includes('~') || segment.includes('/')
    ? segment.replaceAll('~', '~0').replaceAll('/', '~1')
    : segment;
}

/** The property names and indices of a pointer. */
export function pointerSegments(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}
