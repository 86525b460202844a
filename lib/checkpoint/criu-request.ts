import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsrunError, fileError } from '../core/error.ts';
import { cgroupModes } from './criu/rpc.ts';
import type { CriuOptions } from './criu/rpc.ts';
import { makeFolders } from '../host/folders.ts';
import { criuConfigAnnotation } from '../config/annotations.ts';
import { namespaces } from '../config/namespaces.ts';

/** What checkpoint and restore are both asked for. Paths are relative to the working directory unless absolute. */
export interface CriuFlags {
  /** Where the images are; `checkpoint` when absent. */
  imagePath?: string | undefined;
  /** Where criu's log and scratch files go; the images' folder when absent. */
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

/** The folders of a dump, open while criu works. */
export interface ImageFolders {
  images: string;
  /** Where the log is. */
  work: string;
  options: CriuOptions;
  close: () => void;
}

/**
 * Opens the folder of the images and that for the log, which are made first if `make`. `readable`: a folder with the
 * same images that criu gets instead.
 */
export function openFolders(
  { imagePath, workPath }: CriuFlags,
  make: boolean,
  readable?: string,
): ImageFolders {
  const images = resolve(imagePath === undefined || imagePath === '' ? 'checkpoint' : imagePath);
  const work = workPath === undefined || workPath === '' ? images : resolve(workPath);
  const open: number[] = [];
  const close = (): void => {
    open.splice(0).forEach((fd) => {
      closeSync(fd);
    });
  };
  try {
    if (make) makeDirectory(images);
    if (work !== images) makeDirectory(work);
    const [images_dir_fd, work_dir_fd] = [readable ?? images, work].map((path) => {
      const fd = openDirectory(path);
      open.push(fd);
      return fd;
    });
    return { images, work, options: { images_dir_fd, work_dir_fd }, close };
  } catch (error) {
    close();
    throw error;
  }
}

function makeDirectory(path: string): void {
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    throw fileError(`make the folder ${path}`, error);
  }
}

function openDirectory(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError(`open the folder of the images ${path}`, error);
  }
}

/** The options both have in common. */
export function commonOptions(flags: CriuFlags): CriuOptions {
  const mode = cgroupMode(flags.manageCgroupsMode);
  return {
    log_level: 4,
    manage_cgroups: true,
    manage_cgroups_mode: mode,
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

/** The namespaces that are to be empty after the restore, as bits of clone(2). */
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

/** What administrators configure criu with for containers; the second is runc's and crun's, so what they have. */
const configFiles = ['/etc/criu/tsrun.conf', '/etc/criu/runc.conf'];

/**
 * The file with more options for criu, which win over those of the command: what the annotation `org.criu.config`
 * says (an empty one: none), or the host's.
 */
export function configFile(annotations: Record<string, string> | undefined): CriuOptions {
  const named = annotations?.[criuConfigAnnotation];
  const file = named ?? configFiles.find((path) => existsSync(path));
  return file === undefined || file === '' ? {} : { config_file: file };
}
