/*
 * Mounts by descriptor: a mount is made or cloned detached, gets its attributes, and is attached to
 * a place that is open. The kernel never resolves a path of the container.
 */
#ifndef TSRUN_INIT_MOUNT_H
#define TSRUN_INIT_MOUNT_H

#include "path.h"

/* MOUNT_ATTR_*. `clear` is applied before `set`, as in mount_setattr(2). */
struct attributes {
    uint64_t set;
    uint64_t clear;
    /* Cleared like `clear` unless the kernel has locked them (mount_namespaces(7)). */
    uint64_t clear_unlocked;
    /* `set` and `clear` of all mounts below as well. They need Linux 5.12 unless both are 0. */
    uint64_t recursive_set;
    uint64_t recursive_clear;
};

/* All functions return 0 or a descriptor, or -errno. Those with a context leave a detail. */

/*
 * Clones the mount at `path` below `dir`, detached (open_tree(2)). `flags`: AT_RECURSIVE,
 * AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. A failure has this `fault`, and `what` in the detail.
 */
int mount_clone(struct context *c, int dir, const char *path, unsigned int flags, uint32_t fault,
                const char *what);

/*
 * Maps the ids of the detached mount `tree`, and with `recursive` of all mounts below it, by the
 * user namespace `user`.
 */
int mount_idmap(struct context *c, int tree, int user, bool recursive);

/* The AT_* of mount_clone for the MOUNT_FLAG_* of a bind mount. */
unsigned int mount_clone_flags(uint32_t flags);

/* Changes the attributes of an attached mount, given by the descriptor of its root. */
int mount_change(struct context *c, int fd, const struct attributes *a);

/*
 * Attaches the detached mount `tree` on `at`; it has these attributes from the first moment. On the
 * rootfs itself it becomes the new rootfs. `tree` stays open and names the mount.
 */
int mount_attach(struct context *c, int tree, const struct place *at, const struct attributes *a);

/*
 * Applies MS_SHARED, MS_PRIVATE, MS_SLAVE or MS_UNBINDABLE, with MS_REC to all mounts below as
 * well.
 */
int mount_propagation(struct context *c, int fd, uint64_t flags);
int mount_propagations(struct context *c, int fd, const struct wire_u32s *list);

/*
 * Calls mount(2) on the file of `fd`, for what newer system calls cannot do. A relative `source` is
 * not found.
 */
int mount_classic(struct context *c, int fd, const char *source, const char *type, uint64_t flags,
                  const char *data);

/*
 * The MS_* that the mount of `fd` would have after `set` and `clear`; -ENOSYS for attributes that
 * mount(2) does not know.
 */
int mount_classic_flags(int fd, uint64_t set, uint64_t clear, uint64_t *flags);

/* The PATH_* to find the destination of a mount with these MOUNT_FLAG_*. */
unsigned int mount_path_flags(uint32_t flags);

/*
 * Refuses destinations with which the container could imitate the kernel: everything inside procfs,
 * and on its /proc everything but a whole procfs (`whole_procfs`). `flags`: MOUNT_FLAG_*.
 */
int mount_guard(struct context *c, const struct place *at, bool whole_procfs, uint32_t flags);

/* True for the root of a procfs. */
bool mount_is_whole_procfs(int fd);

/*
 * The MS_* that run_host_propagation has given the mounts of this namespace; 0 when it did not run.
 */
extern uint64_t mount_host_propagation;

#endif
