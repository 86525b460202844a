/** Failures of the init in the user's own terms. */
import { constants } from 'node:os';
import { errnoName, errnoText } from '../core/errno.ts';
import { briefMessage, printable } from '../core/printable.ts';
import { describeOp, namespaceNames, rlimitName } from './describe-op.ts';
import { hintFor } from './hints.ts';
import type { HostFacts } from '../host/facts.ts';
import { hookFailedErrno } from '../plan/wire.ts';
import type { Op, OpOf } from '../plan/wire.ts';

export interface Explanation {
  /** The property at fault, as narrow as the failure says; '' when none is. */
  pointer: string;
  /** One line: what failed, on what, why. */
  reason: string;
  hint?: string;
}

const { EACCES, ENOENT, ENOEXEC, EINVAL, ESRCH, ETIMEDOUT } = constants.errno;

/**
 * Says why an operation failed. `errno` may have either sign. `detail` is what the init adds: on what it failed,
 * sometimes why; any text will do, also none. With `facts` the kernel's version can be part of the hint.
 */
export function explainFailure(
  op: Op,
  errno: number,
  detail: string,
  facts?: Pick<HostFacts, 'kernel' | 'privileged'>,
): Explanation {
  const positive = Math.abs(errno);
  // One line, whatever a hook has written or the kernel has logged.
  const line = detail.replace(/\s*\n\s*/g, '; ').trim();
  const reason = printable(briefMessage(reasonOf(op, positive, line), textsOf(op)));
  const hint = hintFor(op, errnoName(positive), line, facts);
  const pointer = pointerOf(op, positive, line);
  return hint === undefined ? { pointer, reason } : { pointer, reason, hint: printable(hint) };
}

/** What somebody wrote: paths, names, arguments. The config has them whole. */
function textsOf(op: Op): string[] {
  return Object.values(op).flatMap((value: unknown) =>
    (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string'),
  );
}

function reasonOf(op: Op, errno: number, detail: string): string {
  switch (op.op) {
    case 'findExecutable':
      return explainSearch(op, errno, detail);
    case 'exec':
      return join(`exec: ${JSON.stringify(op.args[0] ?? '')}`, unless(detail, op.args[0]), errnoText(errno));
    case 'hook':
      return `error running ${hookName(op.origin)}: ${explainHook(op, errno, detail)}`;
    case 'workingDirectory':
      return join(`chdir to cwd (${JSON.stringify(op.path)})`, unless(detail, op.path), errnoText(errno));
    case 'mountBind':
    case 'cloneTree':
      // `source /srv/data` is what the init says when it is the source that cannot be had.
      if (detail.startsWith('source ')) return join(`bind ${detail}`, errnoText(errno));
      break;
    case 'deviceBind':
      if (detail.startsWith('source '))
        return join(`device ${detail.slice('source '.length)}`, errnoText(errno));
      break;
    case 'openNamespace':
      // The detail says it all: the path is no namespace, or one of another type.
      if (errno === EINVAL && detail !== '') return detail;
      return join(
        `${namespaceNames(op.type)} namespace ${op.path}`,
        unless(detail, op.path),
        errnoText(errno),
      );
    case 'enterContainer':
      if (errno === ESRCH) return 'container not running: its process has just ended';
      break;
    case 'rlimit':
      return join(`set ${rlimitName(op.resource)} to ${op.soft}:${op.hard}`, errnoText(errno));
    case 'raiseHardLimit':
      return join(`set the hard limit of ${rlimitName(op.resource)} to ${op.hard}`, errnoText(errno));
    default:
  }
  return join(title(op), unless(detail, subject(op)), errnoText(errno));
}

/** What is described at length elsewhere is short in an error. */
function title(op: Op): string {
  switch (op.op) {
    case 'mountFilesystem':
      return `mount ${op.type} on ${op.destination}`;
    case 'mountBind':
      return `bind mount ${op.source} on ${op.destination}`;
    case 'remount':
      return `remount ${op.destination}`;
    case 'device':
      return `make the device ${op.path}`;
    case 'boundingSet':
      return 'limit the bounding set of capabilities';
    case 'capabilities':
      return 'set capabilities';
    case 'user':
      return 'set user and groups';
    case 'makeUserNamespace':
      return 'make a user namespace for idmapped mounts';
    case 'seccomp':
      return 'load the seccomp filter';
    case 'fileLabel':
      return `label ${op.path}`;
    default:
      return describeOp(op);
  }
}

/** What the title names already, so that the detail need not. */
function subject(op: Op): string | undefined {
  if ('path' in op) return op.path;
  return 'destination' in op ? op.destination : undefined;
}

function unless(detail: string, known: string | undefined): string {
  return detail === known ? '' : detail;
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(': ');
}

const notInPath = 'executable file not found in $PATH';

function explainSearch(op: OpOf<'findExecutable'>, errno: number, detail: string): string {
  const name = `exec: ${JSON.stringify(op.name)}`;
  // The words that callers of container runtimes look for; Go's, from runc.
  if (errno === ENOENT && op.name !== '' && !op.name.includes('/')) return join(name, notInPath);
  return join(name, unless(detail, op.name), errnoText(errno));
}

/** `createContainer hook #0`. */
function hookName(origin: string): string {
  const [, kind, index] = /^\/hooks\/(\w+)\/(\d+)$/.exec(origin) ?? [];
  return kind === undefined || index === undefined ? 'hook' : `${kind} hook #${index}`;
}

function explainHook(op: OpOf<'hook'>, errno: number, detail: string): string {
  if (errno === ETIMEDOUT) {
    const seconds = (Number(op.timeoutMs) / 1000).toFixed(1);
    const [, output = ''] = /^ran longer than its timeout of \d+ ms(?:: (.*))?$/s.exec(detail) ?? [];
    return join(op.path, `hook ran past specified timeout of ${seconds}s`, output);
  }
  if (errno === hookFailedErrno) return join(op.path, detail === '' ? 'failed' : detail);
  return join(op.path, unless(detail, op.path), errnoText(errno));
}

function pointerOf(op: Op, errno: number, detail: string): string {
  const { origin } = op;
  if (/^\/mounts\/\d+$/.test(origin)) return origin + mountProperty(op, detail);
  if (op.op === 'hook' && (errno === ENOENT || errno === EACCES || errno === ENOEXEC))
    return `${origin}/path`;
  if (op.op === 'hook' && errno === ETIMEDOUT) return `${origin}/timeout`;
  if (op.op === 'user' && origin !== '') return origin + userProperty(op, detail);
  return origin;
}

function mountProperty(op: Op, detail: string): string {
  if (detail.startsWith('source ')) return '/source';
  if (detail.startsWith('destination ') || isAbout(op, detail)) return '/destination';
  if (op.op === 'mountFilesystem') {
    if (/^filesystem \S+, option /.test(detail)) return '/options';
    if (/^filesystem \S+, source/.test(detail)) return '/source';
    if (/^filesystem \S+ is not known/.test(detail)) return '/type';
  }
  return detail.startsWith('mount options') || detail.startsWith('mount propagation') ? '/options' : '';
}

/** The detail is the destination itself, perhaps with more: `/data (below / of the rootfs)`. */
function isAbout(op: Op, detail: string): boolean {
  return 'destination' in op && (detail === op.destination || detail.startsWith(`${op.destination} (`));
}

/** A value that is not the default is in the config, so the pointer exists. */
function userProperty(op: OpOf<'user'>, detail: string): string {
  if (detail.startsWith('uid ') && op.uid !== 0) return '/uid';
  if (detail.startsWith('gid ') && op.gid !== 0) return '/gid';
  return detail.startsWith('additional gid ') ? '/additionalGids' : '';
}
