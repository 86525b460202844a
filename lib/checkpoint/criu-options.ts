import { existsSync } from 'node:fs';
import { TsrunError } from '../core/error.ts';
import { cgroupModes, type CriuOptions } from './criu/rpc.ts';
import { criuConfigAnnotation } from '../config/annotations.ts';
import { namespaces } from '../config/namespaces.ts';

/** The flags that checkpoint and restore share. Paths are relative to the working directory unless absolute. */
export interface CriuFlags {
  /** The folder of the images; `checkpoint` when absent. */
  imagePath?: string | undefined;
  /** The folder of criu's log and temporary files; that of the images when absent. */
  workPath?: string | undefined;
  tcpEstablished?: boolean | undefined;
  extUnixSk?: boolean | undefined;
  shellJob?: boolean | undefined;
  fileLocks?: boolean | undefined;
  manageCgroupsMode?: string | undefined;
  emptyNs?: readonly string[] | undefined;
  autoDedup?: boolean | undefined;
  lazyPages?: boolean | undefined;
}

/**
 * The options of criu that checkpoint and restore share. Pure.
 *
 * @throws TsrunError 'usage' for a cgroup mode that does not exist
 */
export function commonOptions(flags: CriuFlags): CriuOptions {
  return {
    log_level: 4,
    manage_cgroups: true,
    manage_cgroups_mode: cgroupMode(flags.manageCgroupsMode),
    notify_scripts: true,
    orphan_pts_master: true,
    shell_job: flags.shellJob,
    tcp_established: flags.tcpEstablished,
    ext_unix_sk: flags.extUnixSk,
    file_locks: flags.fileLocks,
    auto_dedup: flags.autoDedup,
    lazy_pages: flags.lazyPages,
  };
}

function cgroupMode(name: string | undefined): number {
  switch (name) {
    case undefined:
    case '':
      return cgroupModes.default;
    case 'soft':
    case 'full':
    case 'strict':
    case 'ignore':
      return cgroupModes[name];
    default:
      throw new TsrunError(
        'usage',
        `--manage-cgroups-mode is one of soft, full, strict and ignore, not ${JSON.stringify(name)}`,
      );
  }
}

/**
 * The namespaces that are to be empty after the restore, as flags of clone(2). Pure.
 *
 * @throws TsrunError 'usage' for any other namespace than `network`
 */
export function emptyNamespaces({ emptyNs = [] }: CriuFlags): number {
  return emptyNs.reduce((mask, name) => {
    if (name !== 'network') {
      throw new TsrunError(
        'usage',
        `--empty-ns knows the network namespace only, not ${JSON.stringify(name)}`,
      );
    }
    return mask | namespaces.network.flag;
  }, 0);
}

/** Where administrators configure criu for containers; runc and crun read the second file. */
const configFiles = ['/etc/criu/tsrun.conf', '/etc/criu/runc.conf'];

/**
 * The file with more options for criu, which criu prefers to those of the request: the one that the annotation
 * `org.criu.config` names, or the host's. No file when the annotation is empty.
 */
export function configFile(annotations: Record<string, string> | undefined): CriuOptions {
  const file = annotations?.[criuConfigAnnotation] ?? configFiles.find((path) => existsSync(path));
  return file === undefined || file === '' ? {} : { config_file: file };
}
