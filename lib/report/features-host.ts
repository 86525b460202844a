import { release } from 'node:os';
import { TsrunError } from '../core/error.ts';
import { type HostFacts, readHostFacts } from '../host/facts.ts';
import { lastCapability, namespaceLinks } from '../host/kernel.ts';
import { libseccomp, type Libseccomp } from '../native/libseccomp.ts';
import { findProgram } from '../host/search-path.ts';
import { actions, architectures, filterFlags } from '../seccomp/constants.ts';
import { kernelKnowsFlag } from '../seccomp/kernel-support.ts';

/** What `features` must know about the host. A set that the host does not tell is undefined: nothing is left out then. */
export interface FeatureFacts {
  /** `release` of uname(2). */
  kernelRelease: string;
  host: HostFacts;
  /** The number of the kernel's last capability. */
  lastCapability: number | undefined;
  /** Names of the links in /proc/self/ns. */
  namespaces: ReadonlySet<string> | undefined;
  /** Undefined without libseccomp. */
  seccomp: SeccompFacts | undefined;
  /** criu is in $PATH. */
  criu: boolean;
}

export interface SeccompFacts {
  /** The version of libseccomp. */
  libseccomp: string;
  /** The actions and architectures that this libseccomp takes, by their names in the runtime-spec. */
  actions: ReadonlySet<string>;
  architectures: ReadonlySet<string>;
  /** The filter flags that this kernel takes. */
  flags: ReadonlySet<string>;
}

/** Asks the kernel and libseccomp; changes nothing. */
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

/** libseccomp refuses an action that it does not know or, where it can find that out, that the kernel does not. */
function takesAction(library: Libseccomp, name: string): boolean {
  const action = actions[name]?.value ?? 0;
  const [allow, kill] = [actions['SCMP_ACT_ALLOW']?.value ?? 0, actions['SCMP_ACT_KILL']?.value ?? 0];
  // libseccomp refuses a rule whose action is the default one.
  const filter = library.filter(action === allow ? kill : allow);
  try {
    const syscall = library.syscall(library.nativeArch(), 'getpid');
    return filter.addRule(action, syscall, noConditions, 0) >= 0;
  } finally {
    filter.release();
  }
}

/** Room for one condition, since an empty array has no address. */
const noConditions = new Uint8Array(24);

function openLibseccomp(): Libseccomp | undefined {
  try {
    return libseccomp();
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'unsupported') return undefined;
    throw error;
  }
}
