import { actions, architectures, filterFlags, operators } from '../seccomp/constants.ts';
import { unsafeAnnotations } from '../config/annotations.ts';
import { capabilityNumbers } from '../config/capabilities.ts';
import { specVersion } from '../config/defaults.ts';
import { hookKinds } from '../config/hook-kinds.ts';
import { memoryPolicyFlags, memoryPolicyModes } from '../config/memory-policy.ts';
import { mountOptions } from '../config/mount-options.ts';
import { namespaces, namespaceTypes } from '../config/namespaces.ts';
import type { Features, LinuxFeatures } from '../config/types.ts';
import type { FeatureFacts, SeccompFacts } from './features-host.ts';

/** The version of tsrun, for annotations. */
export interface Build {
  version: string;
  commit: string;
}

/**
 * What tsrun can do (features.md, features-linux.md), from the tables that the other rooms use. As the specification
 * demands, `enabled` means that tsrun implements something; whether this host has it is in the annotations
 * `io.tsrun.host.*`. Leaves out names that this kernel does not know. Pure.
 */
export function features(facts: FeatureFacts, build: Build): Features {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: specVersion,
    hooks: [...hookKinds],
    mountOptions: [...mountOptions.keys()].toSorted(),
    linux: linuxFeatures(facts),
    annotations: annotations(facts, build),
    potentiallyUnsafeConfigAnnotations: [...unsafeAnnotations],
  };
}

function linuxFeatures({
  lastCapability = Infinity,
  namespaces: links,
  seccomp,
}: FeatureFacts): LinuxFeatures {
  return {
    namespaces: namespaceTypes.filter((type) => links?.has(namespaces[type].procName) ?? true).toSorted(),
    capabilities: [...capabilityNumbers]
      .filter(([, number]) => number <= lastCapability)
      .map(([name]) => name),
    // systemd: the managers that ask systemd for a scope, of the system and of the user.
    cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
    seccomp: seccompFeatures(seccomp),
    apparmor: { enabled: true },
    selinux: { enabled: true },
    memoryPolicy: { modes: [...memoryPolicyModes.keys()], flags: [...memoryPolicyFlags.keys()] },
    intelRdt: { enabled: true, schemata: true, monitoring: true },
    mountExtensions: { idmap: { enabled: true } },
    netDevices: { enabled: true },
  };
}

/** Not enabled without libseccomp, which the host provides and tsrun compiles profiles with. */
function seccompFeatures(seccomp: SeccompFacts | undefined): NonNullable<LinuxFeatures['seccomp']> {
  if (seccomp === undefined) return { enabled: false };
  const knownFlags = Object.keys(filterFlags).toSorted();
  return {
    enabled: true,
    actions: Object.keys(actions)
      .filter((name) => seccomp.actions.has(name))
      .toSorted(),
    operators: Object.keys(operators).toSorted(),
    archs: Object.keys(architectures)
      .filter((name) => seccomp.architectures.has(name))
      .toSorted(),
    knownFlags,
    supportedFlags: knownFlags.filter((name) => seccomp.flags.has(name)),
  };
}

function annotations(
  { host, kernelRelease, seccomp, criu }: FeatureFacts,
  build: Build,
): Record<string, string> {
  const { apparmor = false, cgroup, kernel, filesystems } = host;
  const controllers = [...cgroup.v1, ...(cgroup.v2 === undefined ? [] : [cgroup.v2])]
    .flatMap((hierarchy) => hierarchy.controllers)
    .filter((name) => !name.startsWith('name='));
  const idmap = kernel.major > 5 || (kernel.major === 5 && kernel.minor >= 12);
  return {
    ...(seccomp === undefined ? {} : { 'io.github.seccomp.libseccomp.version': seccomp.libseccomp }),
    'io.tsrun.version': build.version,
    'io.tsrun.commit': build.commit,
    // tsrun has the command; tools look for the second name in every runtime with runc's command line.
    'io.tsrun.checkpoint.enabled': 'true',
    'org.opencontainers.runc.checkpoint.enabled': 'true',
    'io.tsrun.host.criu': String(criu),
    'io.tsrun.host.kernel': kernelRelease,
    'io.tsrun.host.cgroup': cgroup.mode,
    'io.tsrun.host.cgroup.controllers': [...new Set(controllers)].toSorted().join(','),
    'io.tsrun.host.apparmor': String(apparmor),
    // The kernel registers these two filesystems only where they can be used.
    'io.tsrun.host.selinux': String(filesystems.has('selinuxfs')),
    'io.tsrun.host.intelRdt': String(filesystems.has('resctrl')),
    'io.tsrun.host.idmap': String(idmap),
  };
}
