import { release } from 'node:os';
import { TsrunError } from '../core/error.ts';
import { readHostFacts } from '../host/facts.ts';
import { lastCapability, namespaceLinks } from '../host/kernel.ts';
import type { Libseccomp } from '../native/libseccomp.ts';
import { libseccomp } from '../native/libseccomp.ts';
import { findProgram } from '../host/search-path.ts';
import type { HostFacts } from '../host/facts.ts';
import { actions, architectures, filterFlags } from '../seccomp/constants.ts';
import { kernelKnowsFlag } from '../seccomp/kernel.ts';

/** What `features` must know of the host. Sets are undefined where the host does not say: then nothing is left out. */
export interface FeatureFacts {
  /** As uname(2) writes it. */
  kernelRelease: string;
  host: HostFacts;
  /** The highest capability of the kernel. */
  lastCapability: number | undefined;
  /** The links of /proc/self/ns. */
  namespaces: ReadonlySet<string> | undefined;
  /** Undefined without libseccomp: profiles cannot be compiled then. */
  seccomp: SeccompFacts | undefined;
  /** There is a criu in $PATH. */
  criu: boolean;
}

export interface SeccompFacts {
  /** Version of libseccomp. */
  libseccomp: string;
  /** By their names in runtime-spec: the actions and architectures this libseccomp takes. */
  actions: ReadonlySet<string>;
  architectures: ReadonlySet<string>;
  /** The flags this kernel takes. */
  flags: ReadonlySet<string>;
}

/** Asks the kernel and libseccomp. Nothing is changed. */
export function readFeatureFacts(): FeatureFacts {
  return {
    kernelRelease: release(),
    host: readHostFacts(),
    lastCapability: lastCapability(),
    namespaces: namespaceLinks(),
    seccomp: seccompFacts(),
    criu: findProgram('criu') !== undefined,
  };
}

function seccompFacts(): SeccompFacts | undefined {
  const library = openLibseccomp();
  if (library === undefined) return undefined;
  const known = Object.entries(architectures).filter(([, name]) => library.arch(name) !== 0);
  return {
    libseccomp: library.version,
    actions: new Set(Object.keys(actions).filter((name) => takesAction(library, name))),
    architectures: new Set(known.map(([name]) => name)),
    flags: new Set(Object.keys(filterFlags).filter(kernelKnowsFlag)),
  };
}

/** libseccomp refuses the actions that it or, as far as it can find out, the kernel does not know. */
function takesAction(library: Libseccomp, name: string): boolean {
  const action = actions[name]?.value ?? 0;
  const [allow, kill] = [actions['SCMP_ACT_ALLOW']?.value ?? 0, actions['SCMP_ACT_KILL']?.value ?? 0];
  // A rule must not say what is the default anyway.
  const filter = library.filter(action === allow ? kill : allow);
  try {
    const syscall = library.syscall(library.nativeArch(), 'getpid');
    return filter.addRule(action, syscall, noConditions, 0) >= 0;
  } finally {
    filter.release();
  }
}

/** Room for one, since memory of no size has no address. */
const noConditions = new Uint8Array(24);

function openLibseccomp(): Libseccomp | undefined {
  try {
    return libseccomp();
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'unsupported') return undefined;
    throw error;
  }
}
