/* Sources of bind mounts. */
#ifndef TSRUN_INIT_SOURCE_H
#define TSRUN_INIT_SOURCE_H

#include "mount.h"

/* A detached tree that will be mounted. */
struct source {
    int tree;
    /* The slot in which process A has left it, or WIRE_NO_SLOT. */
    uint32_t slot;
};

/* All return 0, or -errno with a detail and nothing open. */

/* Takes the tree in `slot`, or clones `path` of the host. `flags`: MOUNT_FLAG_*. */
int source_open(struct context *c, const char *path, uint32_t slot, uint32_t flags,
                struct source *source);

/* Takes or clones the tree of a path in the rootfs (`inside` of op_mount_bind). */
int source_open_inside(struct context *c, const struct op_mount_bind *o, struct source *source);

void source_close(struct context *c, const struct source *source);

/*
 * Called after the mount. A tree that A has cloned is still a peer of the caller's mounts. It gets
 * the propagation that hostPropagation has given the mounts of this namespace.
 */
int source_join_namespace(struct context *c, const struct source *source);

#endif
