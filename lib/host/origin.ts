/** What the launcher (native-shim/launcher) noted about how tsrun was started, before the engine changed it. */
export interface Origin {
  /** The soft RLIMIT_NOFILE; undefined when no launcher was there. */
  nofile: number | undefined;
  /**
   * How many descriptors were open from 3 on, without a gap; undefined when no launcher was there. Others in
   * that range are the engine's own by now.
   */
  inheritedFds: number | undefined;
  /** The working directory had been deleted; the engine runs in / instead. */
  cwdGone: boolean;
}

let origin: Origin | undefined;

/** Reads the launcher's notes and removes them from process.env, once; later calls return the same. */
export function startedWith(): Origin {
  origin ??= takeNotes(process.env);
  return origin;
}

/** The notes in `env`, which are removed from it. A note that is not the launcher's own format is no note. */
export function takeNotes(env: NodeJS.ProcessEnv): Origin {
  const { TSRUN_NOFILE: nofile, TSRUN_FDS: fds, TSRUN_CWD_GONE: cwdGone } = env;
  delete env['TSRUN_NOFILE'];
  delete env['TSRUN_FDS'];
  delete env['TSRUN_CWD_GONE'];
  return { nofile: parseCount(nofile), inheritedFds: parseCount(fds), cwdGone: cwdGone === '1' };
}

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  // The kernel keeps RLIMIT_NOFILE below fs.nr_open, and that below 2^31.
  return value < 2 ** 31 ? value : undefined;
}
