/* Where the tree of a bind mount comes from. */
#ifndef TSRUN_INIT_SOURCE_H
#define TSRUN_INIT_SOURCE_H

#include "mount.h"

/* A detached tree to be mounted. */
struct source {
    int tree;
    /* The slot process A left it in, or WIRE_NO_SLOT. */
    uint32_t slot;
};

/* All return 0, or -errno with a detail; nothing is open then. */

/* The tree in `slot`, or a clone of `path` of the host. `flags`: MOUNT_FLAG_*. */
int source_open(struct context *c, const char *path, uint32_t slot, uint32_t flags,
                struct source *source);

/* The tree of what is in the rootfs at this moment (op_mount_bind, `inside`). */
int source_open_inside(struct context *c, const struct op_mount_bind *o, struct source *source);

void source_close(struct context *c, const struct source *source);

/*
 * To be called when it is mounted. A tree cloned in process A is still a peer of the caller's
 * mounts: it gets what the mounts of this namespace got from hostPropagation, as if it had been
 * cloned here.
 */
int source_join_namespace(struct context *c, const struct source *source);

#endif
