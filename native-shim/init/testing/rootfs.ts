import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { mountAttributes, mountPropagation } from '../../../lib/config/mount-options.ts';
import {
  type FaultName,
  faults,
  messages,
  mountFlags,
  noSlot,
  type OpName,
  type OpOf,
  rootModes,
  syncPoints,
  wireOps,
} from '../../../lib/plan/wire.ts';
import { faultName } from '../../../lib/engine/message-packet.ts';
import { newNs } from './ops.ts';
import type { TestOp } from './plan.ts';
import { type InitRequest, runInit } from './run.ts';
import { needRoot } from '../../../lib/testing/skip.ts';

/** MS_* of mount(2), and MOUNT_ATTR_* of mount_setattr(2). */
export const {
  recursive: MS_REC,
  private: MS_PRIVATE,
  slave: MS_SLAVE,
  shared: MS_SHARED,
  unbindable: MS_UNBINDABLE,
} = mountPropagation;
export const {
  readonly: RDONLY,
  nosuid: NOSUID,
  nodev: NODEV,
  noexec: NOEXEC,
  atimeField: ATIME,
  noatime: NOATIME,
  strictatime: STRICTATIME,
  nodiratime: NODIRATIME,
  nosymfollow: NOSYMFOLLOW,
} = mountAttributes;

type Fields<N extends OpName> = Omit<OpOf<N>, 'op' | 'origin'>;

/** An operation with 0, '' or nothing in the fields that are not given. */
export function op<N extends OpName>(name: N, given: Partial<Fields<N>> = {}): TestOp {
  const filled = Object.entries(wireOps[name].fields).map(([field, type]) => [
    field,
    field === 'slot' || field === 'userSlot'
      ? noSlot
      : type === 'str'
        ? ''
        : type === 'strs' || type === 'u32s'
          ? []
          : 0,
  ]);
  // The fields come from the same table as the type.
  return { op: name, ...(Object.fromEntries(filled) as object), ...given } as unknown as TestOp;
}

export const procfs = op('mountFilesystem', {
  destination: '/proc',
  type: 'proc',
  source: 'proc',
  attributes: NOSUID | NODEV | NOEXEC,
  flags: mountFlags.noSymlinks,
});

/** A folder with a minimal image in `rootfs` and room for what the host would have in `host`. */
export interface Image {
  folder: string;
  rootfs: string;
  host: string;
}

/**
 * An image for each test of the `describe` that calls this. Without root, which mounts need, the tests are skipped.
 *
 * @param afterTest called after each test, before the image is removed.
 */
export function useImage(afterTest: () => void = () => undefined): Image {
  const image: Image = { folder: '', rootfs: '', host: '' };
  before(function () {
    needRoot(this);
  });
  beforeEach(() => {
    Object.assign(image, makeImage());
  });
  afterEach(() => {
    try {
      afterTest();
    } finally {
      removeImage(image);
    }
  });
  return image;
}

function makeImage(): Image {
  // Not in /tmp, which may be a tmpfs: a mount over it could hide a mistake.
  const folder = mkdtempSync('/var/tmp/tsrun-rootfs-');
  const rootfs = join(folder, 'rootfs');
  const host = join(folder, 'host');
  chmodSync(folder, 0o755);
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp'])
    mkdirSync(join(rootfs, name), { recursive: true });
  mkdirSync(host);
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
  chmodSync(join(rootfs, 'bin/busybox'), 0o755);
  symlinkSync('busybox', join(rootfs, 'bin/sh'));
  return { folder, rootfs, host };
}

function removeImage({ folder }: Image): void {
  // Not rmSync, which fails on paths longer than PATH_MAX.
  execFileSync('rm', ['-rf', folder]);
}

/** Files and folders below `folder`, sorted: to see that nothing has been made there. */
export function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

export interface ContainerRequest extends Partial<Omit<InitRequest, 'plan'>> {
  /** Operations between `rootfs` and `enterRoot`. */
  ops?: readonly TestOp[];
  /** Operations before `clone`, in process A. */
  before?: readonly TestOp[];
  /** Operations after `enterRoot`. */
  after?: readonly TestOp[];
  /** Namespaces besides mount and pid. */
  namespaces?: number;
  /** False: no mount namespace of its own. */
  ownMounts?: boolean;
  hostPropagation?: number;
  mode?: number;
}

export interface Outcome {
  /** What the script printed; '' after an error. */
  stdout: string;
  stderr: string;
  status: number | undefined;
  /** Errno of the operation that failed; 0: none did. */
  errno: number;
  /** What it failed on. */
  fault: FaultName;
  /** Name of the operation that failed, and on what. */
  failed: string;
  detail: string;
}

const shellNames =
  'for n in $(/bin/busybox --list); do [ $n = busybox ] || alias $n="/bin/busybox $n"; done;';

/** Runs a shell script in a container of `image`. */
export function runContainer(image: Image, script: string, request: ContainerRequest = {}): Outcome {
  const { ownMounts = true, mode = ownMounts ? rootModes.pivot : rootModes.chroot } = request;
  const plan: TestOp[] = [
    ...(request.before ?? []),
    op('clone', { flags: (ownMounts ? newNs.mount : 0) | newNs.pid | (request.namespaces ?? 0) }),
    ...((request.namespaces ?? 0) & newNs.user
      ? [op('sync', { point: syncPoints.setup }), op('becomeRoot')]
      : []),
    ...(ownMounts ? [op('hostPropagation', { flags: request.hostPropagation ?? MS_SLAVE | MS_REC })] : []),
    op('rootfs', { path: image.rootfs }),
    ...(request.ops ?? []),
    op('enterRoot', { mode }),
    ...(request.after ?? []),
    op('findExecutable', { name: '/bin/sh', path: '' }),
    op('exec', { args: ['sh', '-c', `${shellNames}\n${script}`], env: ['PATH=/bin'] }),
  ];
  const result = runInit({ ...request, plan });
  const error = result.messages.find(({ type }) => type === messages.error);
  return {
    stdout: error === undefined ? result.stdout : '',
    stderr: result.stderr,
    status: result.status,
    errno: error?.errno ?? 0,
    fault: faultName(error?.value ?? faults.none),
    failed: error === undefined ? '' : (plan[error.op]?.op ?? ''),
    detail: error?.detail ?? '',
  };
}

/** The same, when the script must run; returns what it printed, without the last newline. */
export function shellIn(image: Image, script: string, request: ContainerRequest = {}): string {
  const { stdout, stderr, errno, failed, detail, status } = runContainer(image, script, request);
  if (errno !== 0) throw new Error(`${failed} failed with errno ${errno}: ${detail}`);
  if (status !== 0) throw new Error(`the script ended with ${String(status)}: ${stdout}${stderr}`);
  return stdout.replace(/\n$/, '');
}

/** Makes the folders of a file's path. */
export function inFolder(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

/** For a new user namespace, at its first sync point: root is root, everybody else is 65535 higher. */
export function userMaps(_point: number, pid: number): undefined {
  writeFileSync(`/proc/${pid}/uid_map`, '0 0 1\n1 65536 65535\n');
  writeFileSync(`/proc/${pid}/gid_map`, '0 0 1\n1 65536 65535\n');
}
