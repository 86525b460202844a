/*
 * Mounts, by descriptor from beginning to end: a mount is made or cloned detached, gets its
 * attributes, and is attached to a place that is open. No path of the container is named to the
 * kernel on the way.
 */
#ifndef TSRUN_INIT_MOUNT_H
#define TSRUN_INIT_MOUNT_H

#include "path.h"

/*
 * MOUNT_ATTR_*. What is in `clear` goes first, then comes what is in `set`, as in mount_setattr(2).
 */
struct attributes {
    uint64_t set;
    uint64_t clear;
    /* Cleared like `clear` where the kernel allows it: locked ones stay (mount_namespaces(7)). */
    uint64_t clear_unlocked;
    /* The same for everything mounted below, too; needs Linux 5.12 unless nothing is. */
    uint64_t recursive_set;
    uint64_t recursive_clear;
};

/*
 * All functions return 0 (or a descriptor) or -errno; the ones that take a context leave a detail.
 */

/*
 * A detached copy of the mount at `path` below `dir` (open_tree(2)). `flags`: AT_RECURSIVE,
 * AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. A failure has this `fault`, and `what` in the detail.
 */
int mount_clone(struct context *c, int dir, const char *path, unsigned int flags, uint32_t fault,
                const char *what);

/*
 * Maps the ids of the detached mount `tree` by the user namespace `user`, of all below it, too,
 * when `recursive`.
 */
int mount_idmap(struct context *c, int tree, int user, bool recursive);

/* What MOUNT_FLAG_* say of the source of a bind mount, as AT_* for mount_clone. */
unsigned int mount_clone_flags(uint32_t flags);

/* Changes the attributes of an attached mount, given by the descriptor of its root. */
int mount_change(struct context *c, int fd, const struct attributes *a);

/*
 * Attaches the detached mount `tree` on `at`, with these attributes from the first moment it can be
 * seen. On the rootfs itself it becomes the new rootfs. `tree` stays open and names the mount.
 */
int mount_attach(struct context *c, int tree, const struct place *at, const struct attributes *a);

/*
 * Applies MS_SHARED, MS_PRIVATE, MS_SLAVE or MS_UNBINDABLE, with MS_REC for all that is mounted
 * below.
 */
int mount_propagation(struct context *c, int fd, uint64_t flags);
int mount_propagations(struct context *c, int fd, const struct wire_u32s *list);

/*
 * mount(2) on what `fd` names, for what the newer system calls cannot do. A relative `source` is
 * not found.
 */
int mount_classic(struct context *c, int fd, const char *source, const char *type, uint64_t flags,
                  const char *data);

/* MS_* of the attributes that the mount behind `fd` would have after `set` and `clear`. */
int mount_classic_flags(int fd, uint64_t set, uint64_t clear, uint64_t *flags);

/* How the destination of a mount with these MOUNT_FLAG_* is looked for: PATH_*. */
unsigned int mount_path_flags(uint32_t flags);

/*
 * Refuses destinations that would let the container pose as the kernel: anything inside procfs, and
 * anything on its /proc that is not a whole procfs itself (`whole_procfs`). `flags`: MOUNT_FLAG_*.
 */
int mount_guard(struct context *c, const struct place *at, bool whole_procfs, uint32_t flags);

/* `fd` is the root of a procfs. */
bool mount_is_whole_procfs(int fd);

/*
 * The propagation run_host_propagation gave the mounts of this namespace, MS_*; 0 when it did not
 * run.
 */
extern uint64_t mount_host_propagation;

#endif
