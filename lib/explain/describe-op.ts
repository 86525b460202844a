/** Operations in words, for people: `tsrun plan` and errors. */
import { memoryPolicyFlags, memoryPolicyModes } from '../config/memory-policy.ts';
import { mountAttributes, mountPropagation } from '../config/mount-options.ts';
import { numberList } from '../config/number-list.ts';
import {
  ioPriorityClasses,
  nameOf,
  namesOf,
  personalities,
  schedulerFlags,
  schedulerPolicies,
} from '../config/scheduling.ts';
import { namespaces, namespaceTypes } from '../config/namespaces.ts';
import { rlimitNumbers } from '../host/rlimits.ts';
import { printable } from '../core/message-text.ts';
import { capabilityNumbers } from '../config/capabilities.ts';
import {
  mountFlags,
  newListenerFlag,
  noSlot,
  type Op,
  type OpName,
  type OpOf,
  rootModes,
  syncPoints,
} from '../plan/wire.ts';

type Describer = { [N in OpName]: (op: OpOf<N>) => string };

/** What is not flags of a memory policy's mode. */
const memoryPolicyModeMask = 0x1fff;

const unlimited = 0xffffffffffffffffn;

const describers: Describer = {
  oomScoreAdj: ({ value }) => `set oom_score_adj to ${value}`,
  openNamespace: ({ type, path }) => `open the ${namespaceNames(type)} namespace ${path}`,
  enterPidNamespaceOfOthers: () => 'join the pid namespace',
  enterNamespace: ({ type }) => `join the ${namespaceNames(type)} namespace`,
  makeUserNamespace: ({ uidMap, gidMap }) =>
    `make a user namespace for idmapped mounts (uids ${maps(uidMap)}; gids ${maps(gidMap)})`,
  cloneTree: ({ path }) => `clone the mount of ${path}`,
  cloneInside: ({ root, path }) => `clone what ${path} is in ${root}, if it is there already`,
  idmapTree: ({ recursive }) => `map the ids of that clone${recursive === 1 ? ', recursively' : ''}`,
  enterContainer: ({ flags }) =>
    BigInt(flags) === 0n
      ? 'join no namespace of the container'
      : `join the container's ${namespaceNames(flags)} namespace`,
  affinity: ({ cpus }) =>
    cpus.length === 0 ? 'run on every CPU of the cgroup' : `run on CPU ${numberList(cpus)} only`,
  clone: ({ flags }) =>
    BigInt(flags) === 0n
      ? "make the container's process"
      : `make the container's process in a new ${namespaceNames(flags)} namespace`,
  cloneVisible: () => "make the container's process, last of all",
  cloneIntoCgroup: () => 'go on in the cgroup of the container',
  procfsPidNamespace: () => 'let procfs show the pid namespace that is joined later',
  usePipes: () => 'speak to tsrun through pipes',
  listen: () => 'listen for start',
  closeHostDescriptors: () => "close all that is the host's",
  controllingTerminal: () => 'make the terminal that of the session',
  raiseHardLimit: ({ resource, hard }) =>
    `raise the hard limit of ${rlimitName(resource)} to ${limit(hard)} if it is lower`,
  openCgroup: ({ path }) => `open ${path}`,
  joinCgroup: ({ slot }) => `join the cgroup in slot ${slot}`,
  sync: ({ point }) => wordOf(syncPoints, syncTexts, point) ?? `wait for tsrun at point ${point}`,
  becomeRoot: () => 'become root of the user namespace',
  unshare: ({ flags }) => `make a new ${namespaceNames(flags)} namespace`,
  openTimeOffsets: () => 'open the offsets of a time namespace',
  timeNamespace: ({ offsets }) =>
    offsets === '' ? 'make a new time namespace' : `make a new time namespace (${lines(offsets)})`,
  hostname: ({ name }) => `set the hostname to ${name}`,
  domainname: ({ name }) => `set the domain name to ${name}`,
  loopback: () => 'bring up the loopback interface',
  keyring: ({ name }) => `join a new session keyring ${name}`,
  newSession: () => 'start a new session',
  hostPropagation: ({ flags }) => `make all mounts of the host ${propagationName(Number(flags))}`,
  rootfs: ({ path }) => `use ${path} as the rootfs`,
  mountFilesystem: ({ type, destination, options, attributes, recursiveSet, recursiveClear, propagation }) =>
    `mount ${type} on ${destination}${list([
      ...attributeNames(attributes, 0, ''),
      ...attributeNames(recursiveSet, recursiveClear, 'r'),
      ...options.filter((option) => option !== 'ro'),
      ...propagation.map(propagationName),
    ])}`,
  mountBind: (op) =>
    `bind mount ${op.source} on ${op.destination}${op.inside === '' ? '' : ', as it is in the rootfs by then'}${op.slot === noSlot ? '' : `, from slot ${op.slot}`}${changes(op, flagOptions(op.flags))}`,
  remount: (op) => `remount ${op.destination}${changes(op, op.options)}`,
  device: ({ path, mode, major, minor }) =>
    `make the ${nodeType(mode)} ${path} (${major}:${minor}, mode ${octal(mode & 0o7777)})`,
  deviceBind: ({ path, source }) => `bind mount the host's device ${source} on ${path}`,
  symlink: ({ path, target }) => `link ${path} to ${target}`,
  console: ({ mount }) => `open a terminal${mount === 1 ? ' and mount it on /dev/console' : ''}`,
  sysctl: ({ path, value }) => `set /proc/sys/${path} to '${value}'`,
  hook: ({ path }) => `run the hook ${path}`,
  maskPath: ({ path }) => `mask ${path}`,
  readonlyPath: ({ path }) => `make ${path} read-only`,
  detachRootfs: () => 'clone the mount of the rootfs for the container alone',
  readonlyRoot: () => 'make / read-only',
  enterRoot: ({ mode }) => wordOf(rootModes, rootTexts, mode) ?? `enter the rootfs (mode ${mode})`,
  rootPropagation: ({ flags }) => `make / ${propagationName(Number(flags))}`,
  rlimit: ({ resource, soft, hard }) =>
    `set ${rlimitName(resource)} to ${limit(soft)} (hard limit ${limit(hard)})`,
  findExecutable: ({ name, path }) =>
    name.includes('/')
      ? `find the executable ${name}`
      : `find the executable ${name} in ${path === '' ? 'no PATH' : path}`,
  noNewPrivileges: () => 'give up gaining privileges by execve',
  boundingSet: ({ bounding }) => `limit the bounding set to ${capabilityNames(bounding)}`,
  user: ({ uid, gid, groups, umask }) =>
    `become uid ${uid}, gid ${gid}${groups.length > 0 ? `, groups ${groups.join(' ')}` : ''}, umask ${octal(umask)}`,
  capabilities: ({ effective, permitted, inheritable, ambient }) =>
    `set capabilities: effective ${capabilityNames(effective)}; permitted ${capabilityNames(permitted)}; ` +
    `inheritable ${capabilityNames(inheritable)}; ambient ${capabilityNames(ambient)}`,
  workingDirectory: ({ path }) => `change to the directory ${path}`,
  home: ({ uid }) => `find the home directory of uid ${uid}`,
  seccomp: ({ program, flags }) =>
    `load the seccomp filter (${program.length / 8} instructions${(flags & newListenerFlag) === 0 ? '' : ', with a listener'})`,
  apparmorProfile: ({ profile }) => `execute with the AppArmor profile ${profile}`,
  selinuxLabel: ({ attribute, label }) =>
    attribute === 'exec' ? `execute with the SELinux label ${label}` : `label new keyrings ${label}`,
  fileLabel: ({ path, label }) => `label ${path} ${label}`,
  mountLabel: ({ label }) => `label what is made from here on ${label}`,
  scheduler: ({ policy, nice, priority, flags }) =>
    `schedule by ${nameOf(schedulerPolicies, policy)}${list([
      ...(nice === 0 ? [] : [`nice ${nice}`]),
      ...(priority === 0 ? [] : [`priority ${priority}`]),
      ...namesOf(schedulerFlags, Number(flags)),
    ])}`,
  ioPriority: ({ ioClass, priority }) =>
    `set the I/O priority to ${nameOf(ioPriorityClasses, ioClass)} ${priority}`,
  personality: ({ persona }) => `set the personality to ${nameOf(personalities, persona)}`,
  memoryPolicy: ({ mode, nodes }) =>
    `set the memory policy to ${nameOf(memoryPolicyModes, mode & memoryPolicyModeMask)}${list([
      ...(nodes.length === 0 ? [] : [`nodes ${numberList(nodes)}`]),
      ...namesOf(memoryPolicyFlags, mode),
    ])}`,
  waitStart: () => 'wait for start',
  exec: ({ args }) => `execute ${args.map(quote).join(' ')}`,
};

/** One line that says what the operation does, safe to print. */
export function describeOp(op: Op): string {
  const inWords = describers[op.op] as (op: Op) => string;
  return printable(inWords(op));
}

const syncTexts: Readonly<Record<keyof typeof syncPoints, string>> = {
  setup: 'wait for tsrun to write id maps and join cgroups',
  hooks: 'wait for tsrun to run the hooks prestart and createRuntime',
  entered: 'tell tsrun the pid, and wait for its go',
  ready: 'tell tsrun that all is ready, and wait for its go',
};

const rootTexts: Readonly<Record<keyof typeof rootModes, string>> = {
  pivot: 'make the rootfs / (pivot_root)',
  move: 'make the rootfs / (moved over it, chroot)',
  chroot: 'make the rootfs / (chroot)',
};

/** The word for the row of `numbers` that has this number; undefined when none has. */
function wordOf<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  words: Readonly<Record<Name, string>>,
  number: number,
): string | undefined {
  return namesIn(numbers)
    .filter((name) => numbers[name] === number)
    .map((name) => words[name])[0];
}

function namesIn<Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(table) as Name[];
}

/** `pid, network` for CLONE_NEW* bits. */
export function namespaceNames(flags: number | bigint): string {
  const bits = Number(flags);
  const names = namespaceTypes.filter((type) => (bits & namespaces[type].flag) !== 0);
  return names.length === 0 ? 'unknown' : names.join(', ');
}

/** `RLIMIT_NOFILE` for 7. */
export function rlimitName(resource: number): string {
  for (const [name, number] of rlimitNumbers) if (number === resource) return name;
  return `resource ${resource}`;
}

function limit(value: number | bigint): string {
  return BigInt(value) === unlimited ? 'unlimited' : String(value);
}

function capabilityNames(mask: number | bigint): string {
  const bits = BigInt(mask);
  const names = [...capabilityNumbers].filter(([, number]) => ((bits >> BigInt(number)) & 1n) === 1n);
  return names.length === 0 ? 'none' : names.map(([name]) => name).join(' ');
}

function lines(text: string): string {
  return text.trim().split('\n').join(', ');
}

function maps(text: string): string {
  return text === '' ? 'none' : lines(text);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function nodeType(mode: number): string {
  const type = mode & 0o170000;
  if (type === 0o020000) return 'character device';
  return type === 0o060000 ? 'block device' : 'FIFO';
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word);
}

function list(words: readonly string[]): string {
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

function changes(op: OpOf<'mountBind'> | OpOf<'remount'>, options: readonly string[]): string {
  return list([
    ...attributeNames(op.attributesSet, op.attributesClear, ''),
    ...attributeNames(op.recursiveSet, op.recursiveClear, 'r'),
    ...options.filter((option) => option !== 'ro' && option !== 'rw'),
    ...op.propagation.map(propagationName),
  ]);
}

/** The option of config.json for each flag of a bind mount; '' for what the text says in other words, or not at all. */
const flagWords: Readonly<Record<keyof typeof mountFlags, string>> = {
  noSymlinks: '',
  copyUp: '',
  allowProc: '',
  recursive: '',
  sourceNoFollow: 'src-nofollow',
  ensureDirectory: '',
  destinationNoFollow: 'dest-nofollow',
  copySymlink: 'copy-symlink',
  idmapRecursive: '',
};

function flagOptions(flags: number): string[] {
  // copySymlink needs sourceNoFollow, which is no option of its own then.
  const shown = (flags & mountFlags.copySymlink) === 0 ? flags : flags & ~mountFlags.sourceNoFollow;
  return namesIn(flagWords)
    .filter((name) => (shown & mountFlags[name]) !== 0)
    .map((name) => flagWords[name])
    .filter((word) => word !== '');
}

/** Attributes that are one bit; the access time is a value of a field, and idmap an operation of its own. */
type AttributeBit = Exclude<keyof typeof mountAttributes, 'atimeField' | AccessTime | 'idmap'>;
type AccessTime = 'relatime' | 'noatime' | 'strictatime';

/** The option when the bit is set, and the one when it is cleared. */
const attributeWords: Readonly<Record<AttributeBit, readonly [set: string, clear: string]>> = {
  readonly: ['ro', 'rw'],
  nosuid: ['nosuid', 'suid'],
  nodev: ['nodev', 'dev'],
  noexec: ['noexec', 'exec'],
  nodiratime: ['nodiratime', 'diratime'],
  nosymfollow: ['nosymfollow', 'symfollow'],
};

function attributeNames(set: number | bigint, clear: number | bigint, prefix: string): string[] {
  const setBits = Number(set);
  const clearBits = Number(clear);
  const words = namesIn(attributeWords).flatMap((name) => {
    const [setWord, clearWord] = attributeWords[name];
    if ((setBits & mountAttributes[name]) !== 0) return [setWord];
    return (clearBits & mountAttributes[name]) !== 0 ? [clearWord] : [];
  });
  return [...words, ...accessTime(setBits, clearBits)].map((word) => prefix + word);
}

function accessTime(set: number, clear: number): AccessTime[] {
  const time = set & mountAttributes.atimeField;
  if (time === mountAttributes.noatime) return ['noatime'];
  if (time === mountAttributes.strictatime) return ['strictatime'];
  return (clear & mountAttributes.atimeField) === 0 ? [] : ['relatime'];
}

function propagationName(flags: number): string {
  const prefix = (flags & mountPropagation.recursive) === 0 ? '' : 'r';
  const name = (['shared', 'slave', 'private', 'unbindable'] as const).find(
    (word) => (flags & mountPropagation[word]) !== 0,
  );
  return prefix + (name ?? 'unchanged');
}
