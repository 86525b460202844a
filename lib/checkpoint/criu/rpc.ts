/**
 * criu's RPC protocol (criu.org/RPC), as far as tsrun speaks it: the fields of images/rpc.proto with their numbers,
 * which never change.
 */
import type { Table, Values } from './protobuf.ts';

const inheritFd = {
  key: { number: 1, type: 'string' },
  fd: { number: 2, type: 'integer' },
} as const satisfies Table;

const mountMap = {
  key: { number: 1, type: 'string' },
  val: { number: 2, type: 'string' },
} as const satisfies Table;

const cgroupRoot = {
  ctrl: { number: 1, type: 'string' },
  path: { number: 2, type: 'string' },
} as const satisfies Table;

const joinNamespace = {
  ns: { number: 1, type: 'string' },
  ns_file: { number: 2, type: 'string' },
} as const satisfies Table;

const pageServer = {
  address: { number: 1, type: 'string' },
  port: { number: 2, type: 'integer' },
} as const satisfies Table;

const options = {
  images_dir_fd: { number: 1, type: 'integer' },
  pid: { number: 2, type: 'integer' },
  leave_running: { number: 3, type: 'boolean' },
  ext_unix_sk: { number: 4, type: 'boolean' },
  tcp_established: { number: 5, type: 'boolean' },
  evasive_devices: { number: 6, type: 'boolean' },
  shell_job: { number: 7, type: 'boolean' },
  file_locks: { number: 8, type: 'boolean' },
  log_level: { number: 9, type: 'integer' },
  log_file: { number: 10, type: 'string' },
  ps: { number: 11, type: pageServer },
  notify_scripts: { number: 12, type: 'boolean' },
  root: { number: 13, type: 'string' },
  parent_img: { number: 14, type: 'string' },
  track_mem: { number: 15, type: 'boolean' },
  auto_dedup: { number: 16, type: 'boolean' },
  work_dir_fd: { number: 17, type: 'integer' },
  link_remap: { number: 18, type: 'boolean' },
  ext_mnt: { number: 23, type: mountMap, repeated: true },
  manage_cgroups: { number: 24, type: 'boolean' },
  cg_root: { number: 25, type: cgroupRoot, repeated: true },
  rst_sibling: { number: 26, type: 'boolean' },
  inherit_fd: { number: 27, type: inheritFd, repeated: true },
  manage_cgroups_mode: { number: 34, type: 'integer' },
  external: { number: 37, type: 'string', repeated: true },
  empty_ns: { number: 38, type: 'integer' },
  join_ns: { number: 39, type: joinNamespace, repeated: true },
  freeze_cgroup: { number: 44, type: 'string' },
  tcp_skip_in_flight: { number: 46, type: 'boolean' },
  lazy_pages: { number: 48, type: 'boolean' },
  orphan_pts_master: { number: 50, type: 'boolean' },
  config_file: { number: 51, type: 'string' },
  tcp_close: { number: 52, type: 'boolean' },
  lsm_profile: { number: 53, type: 'string' },
  lsm_mount_context: { number: 63, type: 'string' },
} as const satisfies Table;

/** criu_req. */
export const request = {
  type: { number: 1, type: 'integer' },
  opts: { number: 2, type: options },
  notify_success: { number: 3, type: 'boolean' },
} as const satisfies Table;

/** criu_resp. */
export const response = {
  type: { number: 1, type: 'integer' },
  success: { number: 2, type: 'boolean' },
  restore: { number: 4, type: { pid: { number: 1, type: 'integer' } } },
  notify: {
    number: 5,
    type: { script: { number: 1, type: 'string' }, pid: { number: 2, type: 'integer' } },
  },
  cr_errno: { number: 7, type: 'integer' },
  cr_errmsg: { number: 9, type: 'string' },
  version: {
    number: 10,
    type: {
      major: { number: 1, type: 'integer' },
      minor: { number: 2, type: 'integer' },
      sublevel: { number: 4, type: 'integer' },
    },
  },
} as const satisfies Table;

export type CriuRequest = Values<typeof request>;
export type CriuOptions = Values<typeof options>;
export type CriuResponse = Values<typeof response>;

/** criu_req_type. */
export const requestTypes = { dump: 1, restore: 2, preDump: 4, notify: 6, version: 10 } as const;

/** criu_cg_mode: what is done about the cgroups of the processes. */
export const cgroupModes = { ignore: 0, soft: 3, full: 4, strict: 5, default: 6 } as const;
