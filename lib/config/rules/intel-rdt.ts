import { error, type Report, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import type { IntelRdt } from '../types.ts';

const at = '/linux/intelRdt';

/** config-linux.md, "IntelRdt": the class names a directory of resctrl, schemata are lines of a file. */
export function intelRdt(given: IntelRdt, report: Report): void {
  const { closID = '', schemata = [], l3CacheSchema = '', memBwSchema = '' } = given;
  // "/" is the root of resctrl, the default class.
  if (closID === '.' || closID === '..' || (closID !== '/' && closID.includes('/'))) {
    report(error(`${at}/closID`, 'must be the name of a directory, or /'));
  }
  if (l3CacheSchema !== '' && !l3CacheSchema.startsWith('L3:')) {
    report(warning(`${at}/l3CacheSchema`, 'should begin with L3:'));
  }
  if (memBwSchema !== '' && !memBwSchema.startsWith('MB:')) {
    report(error(`${at}/memBwSchema`, 'must begin with MB:'));
  }
  for (const [pointer, line] of [
    [`${at}/l3CacheSchema`, l3CacheSchema],
    [`${at}/memBwSchema`, memBwSchema],
    ...schemata.map((line, i): [string, string] => [pointerTo(at, 'schemata', i), line]),
  ] as const) {
    if (line.includes('\n')) report(error(pointer, 'must be one line'));
  }
}
