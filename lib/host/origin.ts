/** What the launcher (native-shim/launcher) noted about how tsrun was started, before the engine changed it. */
export interface Origin {
  /** The soft RLIMIT_NOFILE; undefined when no launcher was there. */
  nofile: number | undefined;
  /** The soft RLIMIT_CORE, which the launcher has lowered; undefined when no launcher was there. */
  core: bigint | undefined;
  /**
   * How many descriptors were open from 3 on, without a gap; undefined when no launcher was there. Others in
   * that range are the engine's own by now.
   */
  inheritedFds: number | undefined;
  /** Variables that the engine must not act on, `NAME=value` each: for programs that get tsrun's environment. */
  hidden: readonly string[];
}

/** Options that the launcher gives the engine. */
const engineOptions = ['BUN_ENABLE_CRASH_REPORTING', 'BUN_JSC_useWarmUpMarkedBlocks'];

/** In front of such a variable. */
const hiddenPrefix = 'TSRUN_ENV_';

let origin: Origin | undefined;

/** Reads the launcher's notes and removes them from process.env, once; later calls return the same. */
export function startedWith(): Origin {
  origin ??= takeNotes(process.env);
  return origin;
}

/** The notes in `env`, which are removed from it. A note that is not the launcher's own format is no note. */
export function takeNotes(env: NodeJS.ProcessEnv): Origin {
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
