import type { Report } from '../core/finding.ts';
import type { Config } from '../config/types.ts';
import type { HostView } from './host-view.ts';

/** What the checks are about. */
export interface Subject {
  config: Config;
  /** The bundle's absolute path. */
  bundle: string;
  host: HostView;
}

/** One thing this host may refuse or ignore of a valid config. */
export type Check = (subject: Subject, report: Report) => void;
