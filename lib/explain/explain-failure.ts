/** Failures of the init in the user's own terms. */
import { errnoName, errnos, errnoText } from '../core/errno.ts';
import { shortenMessage, printable } from '../core/message-text.ts';
import { describeOp, namespaceNames, rlimitName } from './describe-op.ts';
import { hintFor } from './hints.ts';
import type { HostFacts } from '../host/facts.ts';
import { type FaultName, hookFailedErrno, type Op, type OpOf } from '../plan/wire.ts';

export interface Explanation {
  /** The property at fault, as narrow as the failure says; '' when none is. */
  pointer: string;
  /** One line: what failed, on what, why. */
  reason: string;
  hint?: string;
}

/** How an operation failed, as the init reports it. */
export interface Failure {
  /** Of either sign. */
  errno: number;
  fault: FaultName;
  /** On what it failed, sometimes why: any text, also none. Only printed, never interpreted. */
  detail: string;
}

const { EACCES, ENOENT, ENOEXEC, ESRCH } = errnos;

/** Says why an operation failed. With `facts` the kernel's version can be part of the hint. */
export function explainFailure(
  op: Op,
  { errno, fault, detail }: Failure,
  facts?: Pick<HostFacts, 'kernel' | 'privileged'>,
): Explanation {
  const failure = {
    errno: Math.abs(errno),
    fault,
    // One line, whatever a hook has written or the kernel has logged.
    detail: detail.replace(/\s*\n\s*/g, '; ').trim(),
  };
  const reason = printable(shortenMessage(reasonOf(op, failure), textsOf(op)));
  const hint = hintFor(op, errnoName(failure.errno), fault, facts);
  const pointer = op.origin + propertyOf(op, failure);
  return hint === undefined ? { pointer, reason } : { pointer, reason, hint: printable(hint) };
}

/** The texts that come from config.json: paths, names, arguments. They may be shortened, since the config has them whole. */
function textsOf(op: Op): string[] {
  return Object.values(op).flatMap((value: unknown) =>
    (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string'),
  );
}

/** Why the source of a bind mount cannot be used. */
export function bindSourceReason(source: string, errno: number): string {
  return join(`bind source ${source}`, errnoText(errno));
}

function reasonOf(op: Op, failure: Failure): string {
  const { errno, fault, detail } = failure;
  switch (op.op) {
    case 'findExecutable':
      return explainSearch(op, failure);
    case 'exec':
      return join(`exec: ${JSON.stringify(op.args[0] ?? '')}`, unless(detail, op.args[0]), errnoText(errno));
    case 'hook':
      return `error running ${hookName(op.origin)}: ${explainHook(op, failure)}`;
    case 'workingDirectory':
      return join(`chdir to cwd (${JSON.stringify(op.path)})`, unless(detail, op.path), errnoText(errno));
    case 'mountBind':
    case 'cloneTree':
      if (isSource(fault)) return bindSourceReason(detail, errno);
      break;
    case 'deviceBind':
      if (isSource(fault)) return join(`device ${detail}`, errnoText(errno));
      break;
    case 'openNamespace':
      if (fault === 'namespace' && detail !== '') return detail;
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

function isSource(fault: FaultName): boolean {
  return fault === 'source' || fault === 'sourceInRootfs';
}

/** As describeOp, but without the values of the operation that an error has no room for. */
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

/** The path that the title names: a detail that is only this is left out. */
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

function explainSearch(op: OpOf<'findExecutable'>, { errno, detail }: Failure): string {
  const name = `exec: ${JSON.stringify(op.name)}`;
  // These words, which are Go's and runc's, are what callers of container runtimes look for.
  if (errno === ENOENT && op.name !== '' && !op.name.includes('/')) return join(name, notInPath);
  return join(name, unless(detail, op.name), errnoText(errno));
}

/** `createContainer hook #0`. */
function hookName(origin: string): string {
  const [, kind, index] = /^\/hooks\/(\w+)\/(\d+)$/.exec(origin) ?? [];
  return kind === undefined || index === undefined ? 'hook' : `${kind} hook #${index}`;
}

function explainHook(op: OpOf<'hook'>, { errno, fault, detail }: Failure): string {
  if (fault === 'timeout') {
    const seconds = (Number(op.timeoutMs) / 1000).toFixed(1);
    return join(op.path, `hook ran past specified timeout of ${seconds}s`, detail);
  }
  if (errno === hookFailedErrno) return join(op.path, detail === '' ? 'failed' : detail);
  return join(op.path, unless(detail, op.path), errnoText(errno));
}

/** The property below `op.origin` that is at fault; '' for none in particular. */
function propertyOf(op: Op, { errno, fault }: Failure): string {
  if (/^\/mounts\/\d+$/.test(op.origin)) return mountProperties[fault];
  if (op.op === 'hook') return hookProperty(errno, fault);
  if (op.op === 'user' && op.origin !== '') return userProperty(op, fault);
  return '';
}

const mountProperties: Readonly<Record<FaultName, string>> = {
  none: '',
  source: '/source',
  sourceInRootfs: '/source',
  destination: '/destination',
  type: '/type',
  option: '/options',
  attribute: '/options',
  propagation: '/options',
  idmap: '',
  namespace: '',
  uid: '',
  gid: '',
  additionalGid: '',
  interpreter: '',
  timeout: '',
};

function hookProperty(errno: number, fault: FaultName): string {
  if (fault === 'timeout') return '/timeout';
  return errno === ENOENT || errno === EACCES || errno === ENOEXEC ? '/path' : '';
}

/** Only an id that is not the default is in the config for certain. */
function userProperty(op: OpOf<'user'>, fault: FaultName): string {
  if (fault === 'uid' && op.uid !== 0) return '/uid';
  if (fault === 'gid' && op.gid !== 0) return '/gid';
  return fault === 'additionalGid' ? '/additionalGids' : '';
}
