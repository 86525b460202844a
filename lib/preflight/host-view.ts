import { accessSync, constants, existsSync, lstatSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { errnoOrRethrow, errnos } from '../core/errno.ts';
import { parseNetworkStats } from '../report/network-stats.ts';
import { lastCapability, namespaceLinks, sysctlNumber } from '../host/kernel.ts';
import { ownCapabilities, type OwnCapabilities, ownHardLimits, ownOomScoreAdj } from '../host/privileges.ts';
import type { HostFacts } from '../host/facts.ts';
import { findResctrl } from '../resctrl/mount.ts';
import { namespaces } from '../config/namespaces.ts';
import type { Config, NamespaceType } from '../config/types.ts';
import type { Report } from '../core/finding.ts';

/** What the checks need to know of the host, as data and functions, so that tests can invent a host. */
export interface HostView {
  facts: HostFacts;
  /** tsrun's own. */
  capabilities: OwnCapabilities;
  /** tsrun's own; undefined is unlimited. */
  hardLimits: ReadonlyMap<string, bigint | undefined>;
  /** tsrun's own. */
  oomScoreAdj: number;
  /** The highest capability of the kernel. */
  lastCapability: number | undefined;
  /** The links in /proc/self/ns. */
  namespaces: ReadonlySet<string> | undefined;
  /** A number of /proc/sys. */
  sysctl: (path: string) => bigint | undefined;
  /** True when /proc/sys has this path. */
  hasSysctl: (path: string) => boolean;
  /** Why a path cannot be reached, as a positive errno; undefined when it can. */
  unreachable: (path: string) => number | undefined;
  /** Like `unreachable`, but a symbolic link is not followed. */
  unreachableLink: (path: string) => number | undefined;
  /** True when the path is that of the namespace tsrun is in. */
  isOwnNamespace: (path: string, type: NamespaceType) => boolean;
  /** Why a program cannot be executed, as a positive errno; undefined when it can. */
  notExecutable: (path: string) => number | undefined;
  /** True for what setns(2) takes: a link in a /proc/<pid>/ns, or what `ip netns add` has mounted. */
  isNamespace: (path: string) => boolean;
  /** The network devices where tsrun runs; undefined where that cannot be known. */
  networkDevices: () => ReadonlySet<string> | undefined;
  /** False for a partition, too: limits of block I/O are for whole disks. */
  isDisk: (major: number, minor: number) => boolean;
  hasResctrl: () => boolean;
}

/** One thing this host may refuse or ignore of a config that agrees with the schema. */
export type HostCheck = (
  checked: {
    config: Config;
    /** The bundle's absolute path. */
    bundle: string;
    host: HostView;
  },
  report: Report,
) => void;

/** This host, as it is now. */
export function readHostView(facts: HostFacts): HostView {
  return {
    facts,
    capabilities: ownCapabilities(),
    hardLimits: ownHardLimits(),
    oomScoreAdj: ownOomScoreAdj(),
    lastCapability: lastCapability(),
    namespaces: namespaceLinks(),
    sysctl: sysctlNumber,
    hasSysctl: (path) => existsSync(`/proc/sys/${path}`),
    isOwnNamespace,
    unreachable: (path) => failureOf(() => statSync(path)),
    unreachableLink: (path) => failureOf(() => lstatSync(path)),
    notExecutable,
    isNamespace: (path) => statfsSync(path).type === nsfsMagic,
    networkDevices,
    isDisk,
    hasResctrl: () => findResctrl() !== undefined,
  };
}

function isOwnNamespace(path: string, type: NamespaceType): boolean {
  const [own, other] = [`/proc/self/ns/${namespaces[type].procName}`, path].map((file) =>
    statSync(file, { bigint: true, throwIfNoEntry: false }),
  );
  return own !== undefined && own.ino === other?.ino && own.dev === other.dev;
}

/** NSFS_MAGIC of statfs(2). */
const nsfsMagic = 0x6e736673;

function networkDevices(): ReadonlySet<string> | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/self/net/dev', 'utf8');
  } catch {
    return undefined;
  }
  return new Set(parseNetworkStats(text).map(({ name }) => name));
}

function isDisk(major: number, minor: number): boolean {
  const directory = '/sys/dev/block';
  // Without sysfs nothing is known of devices.
  if (!existsSync(directory)) return true;
  const device = `${directory}/${major}:${minor}`;
  return existsSync(device) && !existsSync(`${device}/partition`);
}

function notExecutable(path: string): number | undefined {
  // A directory may be "executed", too: searched.
  return (
    failureOf(() => {
      accessSync(path, constants.X_OK);
    }) ?? (statSync(path).isFile() ? undefined : errnos.EACCES)
  );
}

function failureOf(look: () => unknown): number | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    return errnoOrRethrow(error);
  }
}
