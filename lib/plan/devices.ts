/** Device nodes and links in the container's /dev (config-linux.md, "Devices" and "Default Devices"). */
import { validated } from '../core/assert.ts';
import { hasForeignDev, parseMounts } from '../config/mounts.ts';
import type { Device } from '../config/types.ts';
import type { Draft } from './draft.ts';
import { tidyPath } from '../core/paths.ts';
import type { BindSources } from './clone-bind-sources.ts';
import { noSlot, type Op } from './wire.ts';

const fileTypes = { c: 0o020000, b: 0o060000, p: 0o010000 } as const;

/** `u` is mknod(1)'s name for a character device without buffer; today it is the same. */
const typeBits: ReadonlyMap<string, number> = new Map(Object.entries({ ...fileTypes, u: fileTypes.c }));

/** What programs expect in any /dev, with its numbers (Linux allocated devices, devices.txt). */
export const defaultDevices: readonly { path: string; major: number; minor: number }[] = [
  { path: '/dev/null', major: 1, minor: 3 },
  { path: '/dev/zero', major: 1, minor: 5 },
  { path: '/dev/full', major: 1, minor: 7 },
  { path: '/dev/random', major: 1, minor: 8 },
  { path: '/dev/urandom', major: 1, minor: 9 },
  { path: '/dev/tty', major: 5, minor: 0 },
];

const defaultLinks: readonly { path: string; target: string; replace: number }[] = [
  { path: '/dev/fd', target: '/proc/self/fd', replace: 0 },
  { path: '/dev/stdin', target: '/proc/self/fd/0', replace: 0 },
  { path: '/dev/stdout', target: '/proc/self/fd/1', replace: 0 },
  { path: '/dev/stderr', target: '/proc/self/fd/2', replace: 0 },
  // A node of the image here would be the host's devpts.
  { path: '/dev/ptmx', target: 'pts/ptmx', replace: 1 },
];

/** Nodes and links. None when /dev is a bind mount: it is somebody else's, and complete. */
export function compileDevices(draft: Draft, sources: BindSources): Op[] {
  const { config } = draft;
  if (!draft.ownMounts || hasForeignDev(parseMounts(config))) return [];
  // Of two for one path the first one counts. A valid config has only equal ones.
  const own = new Map<string, Op[]>();
  for (const [index, device] of (config.linux?.devices ?? []).entries()) {
    const path = tidyPath(device.path);
    if (!own.has(path)) own.set(path, configuredDevice(draft, sources, device, `/linux/devices/${index}`));
  }
  return [
    ...defaultDevices.filter(({ path }) => !own.has(path)).map((device) => defaultDevice(draft, device)),
    ...[...own.values()].flat(),
    ...defaultLinks.map((link): Op => ({ op: 'symlink', origin: '', ...link })),
  ];
}

function defaultDevice(draft: Draft, { path, major, minor }: (typeof defaultDevices)[number]): Op {
  if (!draft.canMakeDevices) return { op: 'deviceBind', origin: '', path, source: path, slot: noSlot };
  return { op: 'device', origin: '', path, mode: fileTypes.c | 0o666, major, minor, uid: 0, gid: 0 };
}

function configuredDevice(draft: Draft, sources: BindSources, device: Device, origin: string): Op[] {
  const path = tidyPath(device.path);
  // Always the link into the container's own devpts, as with every runtime.
  if (path === '/dev/ptmx') return [];
  const type = validated(typeBits.get(device.type), `${origin}/type`);
  // Anybody may make a FIFO, so it needs none of the host.
  if (!draft.canMakeDevices && type !== fileTypes.p) {
    return [{ op: 'deviceBind', origin, path, source: path, slot: sources.slotOf(path, 0, origin) }];
  }
  const { major = 0, minor = 0, fileMode = 0o666, uid = 0, gid = 0 } = device;
  // Some engines pass st_mode as it is, with the type in it.
  return [{ op: 'device', origin, path, mode: type | (fileMode & 0o7777), major, minor, uid, gid }];
}
