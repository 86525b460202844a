/** What the launcher (native-shim/launcher) noted in the environment before the engine could change it. */
export interface LauncherNotes {
  /** The soft RLIMIT_NOFILE; undefined without a launcher. */
  nofile: number | undefined;
  /** The soft RLIMIT_CORE, which the launcher has lowered; undefined without a launcher. */
  core: bigint | undefined;
  /**
   * How many descriptors were open from 3 on, without a gap; undefined without a launcher. The engine opens its own
   * above them.
   */
  inheritedFds: number | undefined;
  /** Variables hidden from the engine, which would act on them; `NAME=value` each. Programs that get tsrun's environment get them. */
  hidden: readonly string[];
}

/** Options that the launcher gives the engine. */
const engineOptions = ['BUN_ENABLE_CRASH_REPORTING', 'BUN_JSC_useWarmUpMarkedBlocks'];

/** Prefix of the names of hidden variables. */
const hiddenPrefix = 'TSRUN_ENV_';

let notes: LauncherNotes | undefined;

/** Reads the launcher's notes and removes them from process.env, once; later calls return the same. */
export function launcherNotes(): LauncherNotes {
  notes ??= takeNotes(process.env);
  return notes;
}

/** The notes in `env`, which are removed from it. One that is not in the launcher's format is ignored. */
export function takeNotes(env: NodeJS.ProcessEnv): LauncherNotes {
  const take = (name: string): string | undefined => {
    const value = env[name];
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- environments have no other way
    delete env[name];
    return value;
  };
  for (const name of engineOptions) take(name);
  const hidden = Object.keys(env)
    .filter((name) => name.startsWith(hiddenPrefix))
    .map((name) => `${name.slice(hiddenPrefix.length)}=${take(name) ?? ''}`);
  return {
    nofile: parseCount(take('TSRUN_NOFILE')),
    core: parseLimit(take('TSRUN_CORE')),
    inheritedFds: parseCount(take('TSRUN_FDS')),
    hidden,
  };
}

/** A resource limit of any size: RLIM_INFINITY is 2^64 - 1. */
function parseLimit(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[0-9]{1,20}$/.test(text) ? BigInt.asUintN(64, BigInt(text)) : undefined;
}

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  // The kernel keeps RLIMIT_NOFILE below fs.nr_open, and that below 2^31.
  return value < 2 ** 31 ? value : undefined;
}
