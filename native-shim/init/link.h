/* Symbolic links made in the rootfs. */
#ifndef TSRUN_INIT_LINK_H
#define TSRUN_INIT_LINK_H

#include "path.h"

/* What becomes of something that has the name already. An equal link is always kept. */
enum link_policy {
    LINK_KEEP,
    LINK_REPLACE,
    /* An error, EEXIST. */
    LINK_REFUSE,
};

/*
 * Makes `path` in the rootfs a symbolic link to `target`, the directories on the way included. The
 * last part is never followed. Returns 0 or -errno, with a detail from path_open_parent only.
 */
int link_make(struct context *c, const char *path, const char *target, enum link_policy policy);

#endif
