/* The wire format of plans, from lib/plan/wire.ts by scripts/wire-header.ts: edit those. */

/* clang-format off */

#ifndef TSRUN_WIRE_H
#define TSRUN_WIRE_H

#include "wire-reader.h"

#define WIRE_MAGIC 1314018132
#define WIRE_VERSION 1
#define WIRE_MAX_BYTES 16777216
#define WIRE_MAX_SLOTS 4096
#define WIRE_MAX_DETAIL 4000
#define WIRE_NO_SLOT 0xffffffffu
#define WIRE_NO_OP 0xffffffffu
#define HOOK_FAILED_ERRNO 125

#define SLOT_SYNC 0
#define SLOT_START 1
#define SLOT_CONSOLE 2
#define SLOT_CGROUP 3
#define SLOT_STATE_CREATING 4
#define SLOT_STATE_CREATED 5
#define SLOT_CONTAINER 6
#define SLOT_FIRST 7

#define MESSAGE_PID 1
#define MESSAGE_ERROR 2
#define MESSAGE_WARNING 3
#define MESSAGE_SYNC 4
#define MESSAGE_WAITING 5
#define MESSAGE_LISTENER 6
#define MESSAGE_PIPES 7
#define MESSAGE_GO 16

#define SYNC_SETUP 1
#define SYNC_HOOKS 2
#define SYNC_READY 3
#define SYNC_ENTERED 4

#define FAULT_NONE 0
#define FAULT_SOURCE 1
#define FAULT_SOURCE_IN_ROOTFS 2
#define FAULT_DESTINATION 3
#define FAULT_TYPE 4
#define FAULT_OPTION 5
#define FAULT_ATTRIBUTE 6
#define FAULT_PROPAGATION 7
#define FAULT_IDMAP 8
#define FAULT_NAMESPACE 9
#define FAULT_UID 10
#define FAULT_GID 11
#define FAULT_ADDITIONAL_GID 12
#define FAULT_INTERPRETER 13
#define FAULT_TIMEOUT 14

#define MOUNT_FLAG_NO_SYMLINKS 1
#define MOUNT_FLAG_COPY_UP 2
#define MOUNT_FLAG_ALLOW_PROC 4
#define MOUNT_FLAG_RECURSIVE 8
#define MOUNT_FLAG_SOURCE_NO_FOLLOW 16
#define MOUNT_FLAG_ENSURE_DIRECTORY 32
#define MOUNT_FLAG_DESTINATION_NO_FOLLOW 64
#define MOUNT_FLAG_COPY_SYMLINK 128
#define MOUNT_FLAG_IDMAP_RECURSIVE 256

#define ROOT_MODE_PIVOT 0
#define ROOT_MODE_MOVE 1
#define ROOT_MODE_CHROOT 2

#define HOOK_AT_ROOTFS 1
#define HOOK_HOME 2

/* The process an operation may run in. */
#define STAGE_A 1
#define STAGE_B 2
#define STAGE_AB 3

#define OP_OOM_SCORE_ADJ 1
#define OP_OPEN_NAMESPACE 2
#define OP_ENTER_NAMESPACE 3
#define OP_ENTER_PID_NAMESPACE_OF_OTHERS 30
#define OP_MAKE_USER_NAMESPACE 4
#define OP_CLONE_TREE 5
#define OP_IDMAP_TREE 6
#define OP_RAISE_HARD_LIMIT 10
#define OP_OPEN_CGROUP 15
#define OP_ENTER_CONTAINER 8
#define OP_OPEN_TIME_OFFSETS 14
#define OP_AFFINITY 9
#define OP_CLONE 7
#define OP_CLONE_VISIBLE 11
#define OP_CLONE_INTO_CGROUP 12
#define OP_PROCFS_PID_NAMESPACE 13
#define OP_JOIN_CGROUP 25
#define OP_SYNC 16
#define OP_BECOME_ROOT 17
#define OP_UNSHARE 18
#define OP_TIME_NAMESPACE 19
#define OP_HOSTNAME 20
#define OP_DOMAINNAME 21
#define OP_LOOPBACK 22
#define OP_KEYRING 23
#define OP_USE_PIPES 28
#define OP_LISTEN 29
#define OP_CLOSE_HOST_DESCRIPTORS 27
#define OP_NEW_SESSION 24
#define OP_CONTROLLING_TERMINAL 26
#define OP_HOST_PROPAGATION 32
#define OP_ROOTFS 33
#define OP_MOUNT_FILESYSTEM 34
#define OP_MOUNT_BIND 35
#define OP_REMOUNT 36
#define OP_DEVICE 37
#define OP_DEVICE_BIND 38
#define OP_SYMLINK 39
#define OP_CONSOLE 40
#define OP_SYSCTL 41
#define OP_HOOK 42
#define OP_MASK_PATH 43
#define OP_READONLY_PATH 44
#define OP_READONLY_ROOT 45
#define OP_ENTER_ROOT 46
#define OP_ROOT_PROPAGATION 47
#define OP_FILE_LABEL 48
#define OP_MOUNT_LABEL 49
#define OP_RLIMIT 64
#define OP_FIND_EXECUTABLE 65
#define OP_NO_NEW_PRIVILEGES 66
#define OP_BOUNDING_SET 67
#define OP_USER 68
#define OP_CAPABILITIES 69
#define OP_WORKING_DIRECTORY 70
#define OP_HOME 71
#define OP_SECCOMP 72
#define OP_APPARMOR_PROFILE 73
#define OP_SELINUX_LABEL 74
#define OP_SCHEDULER 75
#define OP_IO_PRIORITY 76
#define OP_PERSONALITY 78
#define OP_MEMORY_POLICY 79
#define OP_WAIT_START 96
#define OP_EXEC 97
#define OP_CLONE_INSIDE 110
#define OP_DETACH_ROOTFS 111

/* X(name, code, stage) for every operation. */
#define WIRE_OPS(X) \
    X(oom_score_adj, OP_OOM_SCORE_ADJ, STAGE_A) \
    X(open_namespace, OP_OPEN_NAMESPACE, STAGE_A) \
    X(enter_namespace, OP_ENTER_NAMESPACE, STAGE_A) \
    X(enter_pid_namespace_of_others, OP_ENTER_PID_NAMESPACE_OF_OTHERS, STAGE_A) \
    X(make_user_namespace, OP_MAKE_USER_NAMESPACE, STAGE_A) \
    X(clone_tree, OP_CLONE_TREE, STAGE_AB) \
    X(idmap_tree, OP_IDMAP_TREE, STAGE_A) \
    X(raise_hard_limit, OP_RAISE_HARD_LIMIT, STAGE_A) \
    X(open_cgroup, OP_OPEN_CGROUP, STAGE_A) \
    X(enter_container, OP_ENTER_CONTAINER, STAGE_A) \
    X(open_time_offsets, OP_OPEN_TIME_OFFSETS, STAGE_A) \
    X(affinity, OP_AFFINITY, STAGE_AB) \
    X(clone, OP_CLONE, STAGE_A) \
    X(clone_visible, OP_CLONE_VISIBLE, STAGE_A) \
    X(clone_into_cgroup, OP_CLONE_INTO_CGROUP, STAGE_A) \
    X(procfs_pid_namespace, OP_PROCFS_PID_NAMESPACE, STAGE_A) \
    X(join_cgroup, OP_JOIN_CGROUP, STAGE_AB) \
    X(sync, OP_SYNC, STAGE_AB) \
    X(become_root, OP_BECOME_ROOT, STAGE_AB) \
    X(unshare, OP_UNSHARE, STAGE_AB) \
    X(time_namespace, OP_TIME_NAMESPACE, STAGE_AB) \
    X(hostname, OP_HOSTNAME, STAGE_AB) \
    X(domainname, OP_DOMAINNAME, STAGE_AB) \
    X(loopback, OP_LOOPBACK, STAGE_AB) \
    X(keyring, OP_KEYRING, STAGE_AB) \
    X(use_pipes, OP_USE_PIPES, STAGE_A) \
    X(listen, OP_LISTEN, STAGE_AB) \
    X(close_host_descriptors, OP_CLOSE_HOST_DESCRIPTORS, STAGE_AB) \
    X(new_session, OP_NEW_SESSION, STAGE_B) \
    X(controlling_terminal, OP_CONTROLLING_TERMINAL, STAGE_B) \
    X(host_propagation, OP_HOST_PROPAGATION, STAGE_AB) \
    X(rootfs, OP_ROOTFS, STAGE_AB) \
    X(mount_filesystem, OP_MOUNT_FILESYSTEM, STAGE_AB) \
    X(mount_bind, OP_MOUNT_BIND, STAGE_AB) \
    X(remount, OP_REMOUNT, STAGE_AB) \
    X(device, OP_DEVICE, STAGE_AB) \
    X(device_bind, OP_DEVICE_BIND, STAGE_AB) \
    X(symlink, OP_SYMLINK, STAGE_AB) \
    X(console, OP_CONSOLE, STAGE_AB) \
    X(sysctl, OP_SYSCTL, STAGE_AB) \
    X(hook, OP_HOOK, STAGE_AB) \
    X(mask_path, OP_MASK_PATH, STAGE_AB) \
    X(readonly_path, OP_READONLY_PATH, STAGE_AB) \
    X(readonly_root, OP_READONLY_ROOT, STAGE_AB) \
    X(enter_root, OP_ENTER_ROOT, STAGE_AB) \
    X(root_propagation, OP_ROOT_PROPAGATION, STAGE_AB) \
    X(file_label, OP_FILE_LABEL, STAGE_AB) \
    X(mount_label, OP_MOUNT_LABEL, STAGE_AB) \
    X(rlimit, OP_RLIMIT, STAGE_AB) \
    X(find_executable, OP_FIND_EXECUTABLE, STAGE_AB) \
    X(no_new_privileges, OP_NO_NEW_PRIVILEGES, STAGE_AB) \
    X(bounding_set, OP_BOUNDING_SET, STAGE_AB) \
    X(user, OP_USER, STAGE_AB) \
    X(capabilities, OP_CAPABILITIES, STAGE_AB) \
    X(working_directory, OP_WORKING_DIRECTORY, STAGE_AB) \
    X(home, OP_HOME, STAGE_AB) \
    X(seccomp, OP_SECCOMP, STAGE_AB) \
    X(apparmor_profile, OP_APPARMOR_PROFILE, STAGE_AB) \
    X(selinux_label, OP_SELINUX_LABEL, STAGE_AB) \
    X(scheduler, OP_SCHEDULER, STAGE_AB) \
    X(io_priority, OP_IO_PRIORITY, STAGE_AB) \
    X(personality, OP_PERSONALITY, STAGE_AB) \
    X(memory_policy, OP_MEMORY_POLICY, STAGE_AB) \
    X(wait_start, OP_WAIT_START, STAGE_B) \
    X(exec, OP_EXEC, STAGE_B) \
    X(clone_inside, OP_CLONE_INSIDE, STAGE_A) \
    X(detach_rootfs, OP_DETACH_ROOTFS, STAGE_AB)

struct op_oom_score_adj {
    int32_t value;
};

static inline bool decode_oom_score_adj(struct reader *r, struct op_oom_score_adj *o)
{
    return read_i32(r, &o->value)
        && r->at == r->end;
}

struct op_open_namespace {
    uint32_t slot;
    uint32_t type;
    const char *path;
    const char *changes;
};

static inline bool decode_open_namespace(struct reader *r, struct op_open_namespace *o)
{
    return read_u32(r, &o->slot)
        && read_u32(r, &o->type)
        && read_str(r, &o->path)
        && read_str(r, &o->changes)
        && r->at == r->end;
}

struct op_enter_namespace {
    uint32_t slot;
    uint32_t type;
};

static inline bool decode_enter_namespace(struct reader *r, struct op_enter_namespace *o)
{
    return read_u32(r, &o->slot)
        && read_u32(r, &o->type)
        && r->at == r->end;
}

struct op_enter_pid_namespace_of_others {
    uint32_t slot;
    uint32_t user_slot;
    uint32_t hooks;
};

static inline bool decode_enter_pid_namespace_of_others(struct reader *r, struct op_enter_pid_namespace_of_others *o)
{
    return read_u32(r, &o->slot)
        && read_u32(r, &o->user_slot)
        && read_u32(r, &o->hooks)
        && r->at == r->end;
}

struct op_make_user_namespace {
    uint32_t slot;
    const char *uid_map;
    const char *gid_map;
};

static inline bool decode_make_user_namespace(struct reader *r, struct op_make_user_namespace *o)
{
    return read_u32(r, &o->slot)
        && read_str(r, &o->uid_map)
        && read_str(r, &o->gid_map)
        && r->at == r->end;
}

struct op_clone_tree {
    uint32_t slot;
    const char *path;
    uint32_t flags;
};

static inline bool decode_clone_tree(struct reader *r, struct op_clone_tree *o)
{
    return read_u32(r, &o->slot)
        && read_str(r, &o->path)
        && read_u32(r, &o->flags)
        && r->at == r->end;
}

struct op_idmap_tree {
    uint32_t slot;
    uint32_t user_slot;
    uint32_t recursive;
};

static inline bool decode_idmap_tree(struct reader *r, struct op_idmap_tree *o)
{
    return read_u32(r, &o->slot)
        && read_u32(r, &o->user_slot)
        && read_u32(r, &o->recursive)
        && r->at == r->end;
}

struct op_raise_hard_limit {
    uint32_t resource;
    uint64_t hard;
};

static inline bool decode_raise_hard_limit(struct reader *r, struct op_raise_hard_limit *o)
{
    return read_u32(r, &o->resource)
        && read_u64(r, &o->hard)
        && r->at == r->end;
}

struct op_open_cgroup {
    uint32_t slot;
    const char *path;
};

static inline bool decode_open_cgroup(struct reader *r, struct op_open_cgroup *o)
{
    return read_u32(r, &o->slot)
        && read_str(r, &o->path)
        && r->at == r->end;
}

struct op_enter_container {
    uint64_t flags;
};

static inline bool decode_enter_container(struct reader *r, struct op_enter_container *o)
{
    return read_u64(r, &o->flags)
        && r->at == r->end;
}

struct op_open_time_offsets {
    uint32_t slot;
};

static inline bool decode_open_time_offsets(struct reader *r, struct op_open_time_offsets *o)
{
    return read_u32(r, &o->slot)
        && r->at == r->end;
}

struct op_affinity {
    struct wire_bytes cpus;
};

static inline bool decode_affinity(struct reader *r, struct op_affinity *o)
{
    return read_bytes(r, &o->cpus)
        && r->at == r->end;
}

struct op_clone {
    uint64_t flags;
};

static inline bool decode_clone(struct reader *r, struct op_clone *o)
{
    return read_u64(r, &o->flags)
        && r->at == r->end;
}

struct op_clone_visible {
    uint8_t nothing;
};

static inline bool decode_clone_visible(struct reader *r, struct op_clone_visible *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_clone_into_cgroup {
    uint8_t nothing;
};

static inline bool decode_clone_into_cgroup(struct reader *r, struct op_clone_into_cgroup *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_procfs_pid_namespace {
    uint32_t slot;
};

static inline bool decode_procfs_pid_namespace(struct reader *r, struct op_procfs_pid_namespace *o)
{
    return read_u32(r, &o->slot)
        && r->at == r->end;
}

struct op_join_cgroup {
    uint32_t slot;
};

static inline bool decode_join_cgroup(struct reader *r, struct op_join_cgroup *o)
{
    return read_u32(r, &o->slot)
        && r->at == r->end;
}

struct op_sync {
    uint32_t point;
};

static inline bool decode_sync(struct reader *r, struct op_sync *o)
{
    return read_u32(r, &o->point)
        && r->at == r->end;
}

struct op_become_root {
    uint8_t nothing;
};

static inline bool decode_become_root(struct reader *r, struct op_become_root *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_unshare {
    uint64_t flags;
};

static inline bool decode_unshare(struct reader *r, struct op_unshare *o)
{
    return read_u64(r, &o->flags)
        && r->at == r->end;
}

struct op_time_namespace {
    uint32_t slot;
    const char *offsets;
};

static inline bool decode_time_namespace(struct reader *r, struct op_time_namespace *o)
{
    return read_u32(r, &o->slot)
        && read_str(r, &o->offsets)
        && r->at == r->end;
}

struct op_hostname {
    const char *name;
};

static inline bool decode_hostname(struct reader *r, struct op_hostname *o)
{
    return read_str(r, &o->name)
        && r->at == r->end;
}

struct op_domainname {
    const char *name;
};

static inline bool decode_domainname(struct reader *r, struct op_domainname *o)
{
    return read_str(r, &o->name)
        && r->at == r->end;
}

struct op_loopback {
    uint8_t nothing;
};

static inline bool decode_loopback(struct reader *r, struct op_loopback *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_keyring {
    const char *name;
};

static inline bool decode_keyring(struct reader *r, struct op_keyring *o)
{
    return read_str(r, &o->name)
        && r->at == r->end;
}

struct op_use_pipes {
    uint8_t nothing;
};

static inline bool decode_use_pipes(struct reader *r, struct op_use_pipes *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_listen {
    uint8_t nothing;
};

static inline bool decode_listen(struct reader *r, struct op_listen *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_close_host_descriptors {
    uint8_t nothing;
};

static inline bool decode_close_host_descriptors(struct reader *r, struct op_close_host_descriptors *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_new_session {
    uint8_t nothing;
};

static inline bool decode_new_session(struct reader *r, struct op_new_session *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_controlling_terminal {
    uint8_t nothing;
};

static inline bool decode_controlling_terminal(struct reader *r, struct op_controlling_terminal *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_host_propagation {
    uint64_t flags;
};

static inline bool decode_host_propagation(struct reader *r, struct op_host_propagation *o)
{
    return read_u64(r, &o->flags)
        && r->at == r->end;
}

struct op_rootfs {
    const char *path;
};

static inline bool decode_rootfs(struct reader *r, struct op_rootfs *o)
{
    return read_str(r, &o->path)
        && r->at == r->end;
}

struct op_mount_filesystem {
    const char *destination;
    const char *type;
    const char *source;
    struct wire_strs options;
    uint64_t attributes;
    uint64_t recursive_set;
    uint64_t recursive_clear;
    struct wire_u32s propagation;
    uint32_t flags;
};

static inline bool decode_mount_filesystem(struct reader *r, struct op_mount_filesystem *o)
{
    return read_str(r, &o->destination)
        && read_str(r, &o->type)
        && read_str(r, &o->source)
        && read_strs(r, &o->options)
        && read_u64(r, &o->attributes)
        && read_u64(r, &o->recursive_set)
        && read_u64(r, &o->recursive_clear)
        && read_u32s(r, &o->propagation)
        && read_u32(r, &o->flags)
        && r->at == r->end;
}

struct op_mount_bind {
    const char *destination;
    const char *source;
    uint32_t slot;
    uint64_t attributes_set;
    uint64_t attributes_clear;
    uint64_t recursive_set;
    uint64_t recursive_clear;
    struct wire_u32s propagation;
    uint32_t flags;
    uint64_t attributes_unnamed;
    const char *inside;
    uint32_t user_slot;
};

static inline bool decode_mount_bind(struct reader *r, struct op_mount_bind *o)
{
    return read_str(r, &o->destination)
        && read_str(r, &o->source)
        && read_u32(r, &o->slot)
        && read_u64(r, &o->attributes_set)
        && read_u64(r, &o->attributes_clear)
        && read_u64(r, &o->recursive_set)
        && read_u64(r, &o->recursive_clear)
        && read_u32s(r, &o->propagation)
        && read_u32(r, &o->flags)
        && read_u64(r, &o->attributes_unnamed)
        && read_str(r, &o->inside)
        && read_u32(r, &o->user_slot)
        && r->at == r->end;
}

struct op_remount {
    const char *destination;
    struct wire_strs options;
    uint64_t attributes_set;
    uint64_t attributes_clear;
    uint64_t recursive_set;
    uint64_t recursive_clear;
    struct wire_u32s propagation;
    uint32_t flags;
};

static inline bool decode_remount(struct reader *r, struct op_remount *o)
{
    return read_str(r, &o->destination)
        && read_strs(r, &o->options)
        && read_u64(r, &o->attributes_set)
        && read_u64(r, &o->attributes_clear)
        && read_u64(r, &o->recursive_set)
        && read_u64(r, &o->recursive_clear)
        && read_u32s(r, &o->propagation)
        && read_u32(r, &o->flags)
        && r->at == r->end;
}

struct op_device {
    const char *path;
    uint32_t mode;
    uint32_t major;
    uint32_t minor;
    uint32_t uid;
    uint32_t gid;
};

static inline bool decode_device(struct reader *r, struct op_device *o)
{
    return read_str(r, &o->path)
        && read_u32(r, &o->mode)
        && read_u32(r, &o->major)
        && read_u32(r, &o->minor)
        && read_u32(r, &o->uid)
        && read_u32(r, &o->gid)
        && r->at == r->end;
}

struct op_device_bind {
    const char *path;
    const char *source;
    uint32_t slot;
};

static inline bool decode_device_bind(struct reader *r, struct op_device_bind *o)
{
    return read_str(r, &o->path)
        && read_str(r, &o->source)
        && read_u32(r, &o->slot)
        && r->at == r->end;
}

struct op_symlink {
    const char *path;
    const char *target;
    uint32_t replace;
};

static inline bool decode_symlink(struct reader *r, struct op_symlink *o)
{
    return read_str(r, &o->path)
        && read_str(r, &o->target)
        && read_u32(r, &o->replace)
        && r->at == r->end;
}

struct op_console {
    uint32_t rows;
    uint32_t columns;
    uint32_t mount;
};

static inline bool decode_console(struct reader *r, struct op_console *o)
{
    return read_u32(r, &o->rows)
        && read_u32(r, &o->columns)
        && read_u32(r, &o->mount)
        && r->at == r->end;
}

struct op_sysctl {
    const char *path;
    const char *value;
};

static inline bool decode_sysctl(struct reader *r, struct op_sysctl *o)
{
    return read_str(r, &o->path)
        && read_str(r, &o->value)
        && r->at == r->end;
}

struct op_hook {
    const char *path;
    struct wire_strs args;
    struct wire_strs env;
    uint64_t timeout_ms;
    uint32_t state_slot;
    uint32_t flags;
};

static inline bool decode_hook(struct reader *r, struct op_hook *o)
{
    return read_str(r, &o->path)
        && read_strs(r, &o->args)
        && read_strs(r, &o->env)
        && read_u64(r, &o->timeout_ms)
        && read_u32(r, &o->state_slot)
        && read_u32(r, &o->flags)
        && r->at == r->end;
}

struct op_mask_path {
    const char *path;
};

static inline bool decode_mask_path(struct reader *r, struct op_mask_path *o)
{
    return read_str(r, &o->path)
        && r->at == r->end;
}

struct op_readonly_path {
    const char *path;
};

static inline bool decode_readonly_path(struct reader *r, struct op_readonly_path *o)
{
    return read_str(r, &o->path)
        && r->at == r->end;
}

struct op_readonly_root {
    uint8_t nothing;
};

static inline bool decode_readonly_root(struct reader *r, struct op_readonly_root *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_enter_root {
    uint32_t mode;
};

static inline bool decode_enter_root(struct reader *r, struct op_enter_root *o)
{
    return read_u32(r, &o->mode)
        && r->at == r->end;
}

struct op_root_propagation {
    uint64_t flags;
};

static inline bool decode_root_propagation(struct reader *r, struct op_root_propagation *o)
{
    return read_u64(r, &o->flags)
        && r->at == r->end;
}

struct op_file_label {
    const char *path;
    const char *label;
};

static inline bool decode_file_label(struct reader *r, struct op_file_label *o)
{
    return read_str(r, &o->path)
        && read_str(r, &o->label)
        && r->at == r->end;
}

struct op_mount_label {
    const char *label;
};

static inline bool decode_mount_label(struct reader *r, struct op_mount_label *o)
{
    return read_str(r, &o->label)
        && r->at == r->end;
}

struct op_rlimit {
    uint32_t resource;
    uint64_t soft;
    uint64_t hard;
};

static inline bool decode_rlimit(struct reader *r, struct op_rlimit *o)
{
    return read_u32(r, &o->resource)
        && read_u64(r, &o->soft)
        && read_u64(r, &o->hard)
        && r->at == r->end;
}

struct op_find_executable {
    const char *name;
    const char *path;
};

static inline bool decode_find_executable(struct reader *r, struct op_find_executable *o)
{
    return read_str(r, &o->name)
        && read_str(r, &o->path)
        && r->at == r->end;
}

struct op_no_new_privileges {
    uint8_t nothing;
};

static inline bool decode_no_new_privileges(struct reader *r, struct op_no_new_privileges *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_bounding_set {
    uint64_t bounding;
};

static inline bool decode_bounding_set(struct reader *r, struct op_bounding_set *o)
{
    return read_u64(r, &o->bounding)
        && r->at == r->end;
}

struct op_user {
    uint32_t uid;
    uint32_t gid;
    struct wire_u32s groups;
    uint32_t umask;
    uint32_t no_groups;
};

static inline bool decode_user(struct reader *r, struct op_user *o)
{
    return read_u32(r, &o->uid)
        && read_u32(r, &o->gid)
        && read_u32s(r, &o->groups)
        && read_u32(r, &o->umask)
        && read_u32(r, &o->no_groups)
        && r->at == r->end;
}

struct op_capabilities {
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
    uint64_t ambient;
};

static inline bool decode_capabilities(struct reader *r, struct op_capabilities *o)
{
    return read_u64(r, &o->effective)
        && read_u64(r, &o->permitted)
        && read_u64(r, &o->inheritable)
        && read_u64(r, &o->ambient)
        && r->at == r->end;
}

struct op_working_directory {
    const char *path;
    uint32_t create;
};

static inline bool decode_working_directory(struct reader *r, struct op_working_directory *o)
{
    return read_str(r, &o->path)
        && read_u32(r, &o->create)
        && r->at == r->end;
}

struct op_home {
    uint32_t uid;
};

static inline bool decode_home(struct reader *r, struct op_home *o)
{
    return read_u32(r, &o->uid)
        && r->at == r->end;
}

struct op_seccomp {
    uint32_t flags;
    struct wire_bytes program;
};

static inline bool decode_seccomp(struct reader *r, struct op_seccomp *o)
{
    return read_u32(r, &o->flags)
        && read_bytes(r, &o->program)
        && r->at == r->end;
}

struct op_apparmor_profile {
    const char *profile;
};

static inline bool decode_apparmor_profile(struct reader *r, struct op_apparmor_profile *o)
{
    return read_str(r, &o->profile)
        && r->at == r->end;
}

struct op_selinux_label {
    const char *attribute;
    const char *label;
};

static inline bool decode_selinux_label(struct reader *r, struct op_selinux_label *o)
{
    return read_str(r, &o->attribute)
        && read_str(r, &o->label)
        && r->at == r->end;
}

struct op_scheduler {
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

static inline bool decode_scheduler(struct reader *r, struct op_scheduler *o)
{
    return read_u32(r, &o->policy)
        && read_u64(r, &o->flags)
        && read_i32(r, &o->nice)
        && read_u32(r, &o->priority)
        && read_u64(r, &o->runtime)
        && read_u64(r, &o->deadline)
        && read_u64(r, &o->period)
        && r->at == r->end;
}

struct op_io_priority {
    uint32_t io_class;
    uint32_t priority;
};

static inline bool decode_io_priority(struct reader *r, struct op_io_priority *o)
{
    return read_u32(r, &o->io_class)
        && read_u32(r, &o->priority)
        && r->at == r->end;
}

struct op_personality {
    uint32_t persona;
};

static inline bool decode_personality(struct reader *r, struct op_personality *o)
{
    return read_u32(r, &o->persona)
        && r->at == r->end;
}

struct op_memory_policy {
    uint32_t mode;
    struct wire_bytes nodes;
};

static inline bool decode_memory_policy(struct reader *r, struct op_memory_policy *o)
{
    return read_u32(r, &o->mode)
        && read_bytes(r, &o->nodes)
        && r->at == r->end;
}

struct op_wait_start {
    uint8_t nothing;
};

static inline bool decode_wait_start(struct reader *r, struct op_wait_start *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

struct op_exec {
    struct wire_strs args;
    struct wire_strs env;
    uint32_t preserve_fds;
};

static inline bool decode_exec(struct reader *r, struct op_exec *o)
{
    return read_strs(r, &o->args)
        && read_strs(r, &o->env)
        && read_u32(r, &o->preserve_fds)
        && r->at == r->end;
}

struct op_clone_inside {
    uint32_t slot;
    const char *root;
    const char *path;
    uint32_t user_slot;
    uint32_t flags;
};

static inline bool decode_clone_inside(struct reader *r, struct op_clone_inside *o)
{
    return read_u32(r, &o->slot)
        && read_str(r, &o->root)
        && read_str(r, &o->path)
        && read_u32(r, &o->user_slot)
        && read_u32(r, &o->flags)
        && r->at == r->end;
}

struct op_detach_rootfs {
    uint8_t nothing;
};

static inline bool decode_detach_rootfs(struct reader *r, struct op_detach_rootfs *o)
{
    o->nothing = 0;
    return r->at == r->end;
}

#endif
