/* Symbolic links made in the rootfs. */
#ifndef TSRUN_INIT_LINK_H
#define TSRUN_INIT_LINK_H

#include "path.h"

/* What happens to a file that has the name already. An equal link is always kept. */
enum link_policy {
    LINK_KEEP,
    LINK_REPLACE,
    /* The error EEXIST. */
    LINK_REFUSE,
};

/*
 * Makes `path` in the rootfs a symbolic link to `target`, and the directories on the way. It never
 * follows the last part. Returns 0 or -errno with a detail.
 */
int link_make(struct context *c, const char *path, const char *target, enum link_policy policy);

#endif
