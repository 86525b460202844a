/**
 * criu's RPC protocol (criu.org/RPC): the fields of images/rpc.proto that tsrun uses, with their numbers. A number
 * never changes once criu has released it.
 */
import type { Message, Table } from './protobuf.ts';

const optionFields = {
  images_dir_fd: [1, 'integer'],
  pid: [2, 'integer'],
  leave_running: [3, 'boolean'],
  ext_unix_sk: [4, 'boolean'],
  tcp_established: [5, 'boolean'],
  evasive_devices: [6, 'boolean'],
  shell_job: [7, 'boolean'],
  file_locks: [8, 'boolean'],
  log_level: [9, 'integer'],
  log_file: [10, 'string'],
  ps: [11, { address: [1, 'string'], port: [2, 'integer'] }],
  notify_scripts: [12, 'boolean'],
  root: [13, 'string'],
  parent_img: [14, 'string'],
  track_mem: [15, 'boolean'],
  auto_dedup: [16, 'boolean'],
  work_dir_fd: [17, 'integer'],
  link_remap: [18, 'boolean'],
  ext_mnt: [23, { key: [1, 'string'], val: [2, 'string'] }, 'repeated'],
  manage_cgroups: [24, 'boolean'],
  cg_root: [25, { ctrl: [1, 'string'], path: [2, 'string'] }, 'repeated'],
  rst_sibling: [26, 'boolean'],
  inherit_fd: [27, { key: [1, 'string'], fd: [2, 'integer'] }, 'repeated'],
  manage_cgroups_mode: [34, 'integer'],
  external: [37, 'string', 'repeated'],
  empty_ns: [38, 'integer'],
  join_ns: [39, { ns: [1, 'string'], ns_file: [2, 'string'] }, 'repeated'],
  freeze_cgroup: [44, 'string'],
  tcp_skip_in_flight: [46, 'boolean'],
  lazy_pages: [48, 'boolean'],
  orphan_pts_master: [50, 'boolean'],
  config_file: [51, 'string'],
  tcp_close: [52, 'boolean'],
  lsm_profile: [53, 'string'],
  lsm_mount_context: [63, 'string'],
} as const satisfies Table;

/** Message `criu_req`. */
export const requestFields = {
  type: [1, 'integer'],
  opts: [2, optionFields],
  notify_success: [3, 'boolean'],
} as const satisfies Table;

/** Message `criu_resp`. */
export const responseFields = {
  type: [1, 'integer'],
  success: [2, 'boolean'],
  notify: [5, { script: [1, 'string'], pid: [2, 'integer'] }],
  cr_errno: [7, 'integer'],
  cr_errmsg: [9, 'string'],
  version: [10, { major: [1, 'integer'], minor: [2, 'integer'] }],
} as const satisfies Table;

export type CriuRequest = Message<typeof requestFields>;
export type CriuOptions = Message<typeof optionFields>;
export type CriuResponse = Message<typeof responseFields>;

/** Enum `criu_req_type`. */
export const requestTypes = { dump: 1, restore: 2, preDump: 4, notify: 6, version: 10 } as const;

/** Enum `criu_cg_mode`: what criu does about the cgroups of the processes. */
export const cgroupModes = { ignore: 0, soft: 3, full: 4, strict: 5, default: 6 } as const;
