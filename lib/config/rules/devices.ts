import { posix } from 'node:path';
import { error, type Report, warning } from '../../core/finding.ts';
import { pointerTo } from '../../core/pointer.ts';
import { hasForeignDev, parseMounts } from '../mounts.ts';
import { hasNamespace } from '../namespaces.ts';
import type { Config, Device } from '../types.ts';
import { realId } from './process.ts';

/** config-linux.md, "Devices". */
export function devices({ linux }: Config, report: Report): void {
  const seen = new Map<string, Device>();
  for (const [i, device] of (linux?.devices ?? []).entries()) {
    const { type, path, major, minor, fileMode, uid, gid } = device;
    const at = pointerTo('/linux/devices', i);
    if (type !== 'p' && (major === undefined || minor === undefined)) {
      report(
        error(`${at}/${major === undefined ? 'major' : 'minor'}`, `a device of type "${type}" needs it`),
      );
    }
    if (!path.startsWith('/'))
      report(warning(`${at}/path`, 'should be an absolute path; it is taken as one from the root'));
    if (path.split('/').includes('..')) report(error(`${at}/path`, 'must not have ".." in it'));
    const place = posix.resolve('/', path);
    if (place === '/') report(error(`${at}/path`, 'must name a file, not a directory'));
    const before = seen.get(place);
    if (before === undefined) seen.set(place, device);
    else deviceTwice(before, device, at, report);
    realId(uid, `${at}/uid`, report);
    realId(gid, `${at}/gid`, report);
    if (fileMode !== undefined && looksOctal(fileMode)) {
      const meant = Number.parseInt(String(fileMode), 8);
      report(warning(`${at}/fileMode`, 'is read as a decimal number', `Write ${meant} for 0${fileMode}.`));
    }
  }
}

/** Devices that are not made: without a mount namespace of its own the container has the host's /dev. */
export function madeDevices(config: Config, report: Report): void {
  if ((config.linux?.devices ?? []).length === 0) return;
  if (!hasNamespace(config.linux, 'mount')) {
    report(warning('/linux/devices', 'needs a namespace of type "mount"; no device is made'));
  } else if (hasForeignDev(parseMounts(config))) {
    report(warning('/linux/devices', 'no device is made: /dev is a bind mount'));
  }
}

/** Engines add a device to all of the host's, and it is among them. */
function deviceTwice(before: Device, device: Device, at: string, report: Report): void {
  const what = ({ type, major, minor }: Device): string =>
    `${type === 'u' ? 'c' : type} ${major ?? 0} ${minor ?? 0}`;
  const how = ({ fileMode, uid, gid }: Device): string => `${fileMode ?? 0o666} ${uid ?? 0} ${gid ?? 0}`;
  if (what(before) !== what(device)) {
    report(error(`${at}/path`, 'another device is given for this path, too'));
  } else if (how(before) !== how(device)) {
    report(warning(`${at}/path`, 'this device is given twice; mode and owner of the first one count'));
  }
}

/** 644, 666 and the like: permissions as chmod(1) takes them, which JSON has no notation for. */
function looksOctal(mode: number): boolean {
  return [600, 620, 640, 644, 660, 664, 666, 700, 755, 777].includes(mode);
}
