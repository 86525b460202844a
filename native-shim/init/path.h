/*
 * Paths inside the rootfs. The image, and containers that share a volume with this one, choose what
 * every component is and may change it at any moment: a path is opened once and from then on only
 * its descriptor counts.
 */
#ifndef TSRUN_INIT_PATH_H
#define TSRUN_INIT_PATH_H

#include "init.h"

/*
 * A missing path is made: directories with 0755; the last part as PATH_MAKE_FILE says an empty
 * file.
 */
#define PATH_MAKE_DIRECTORY 1u
#define PATH_MAKE_FILE      2u
/*
 * No part may be a symbolic link (ELOOP). Otherwise links resolve inside the rootfs, dangling ones
 * too.
 */
#define PATH_NO_LINKS 4u
/* The last part may be a symbolic link and is not followed. */
#define PATH_NO_FOLLOW 8u

/* An object in the rootfs. */
struct place {
    /* O_PATH, close-on-exec. */
    int fd;
    /* The last part was missing and has been made. */
    bool made;
    /* With stx_mnt_id. */
    struct statx st;
    /*
     * Where it was when it was opened: no links, no "." or "..", no leading slash; "" is the root.
     */
    char path[PATH_MAX];
};

/*
 * Opens `path` (with or without a leading slash) under c->rootfs. Returns 0, or -errno with a
 * detail; the place then holds no descriptor.
 */
int path_open(struct context *c, const char *path, unsigned int flags, struct place *place);

/*
 * Opens the directory of `path`, made if it is missing, and gives the last part in `name`. Errors
 * as path_open.
 */
int path_open_parent(struct context *c, const char *path, struct place *parent,
                     char name[NAME_MAX + 1]);

/*
 * Opens where the place was opened once more: the mount that is topmost there now. O_PATH or
 * -errno, no detail.
 */
int path_reopen(struct context *c, const struct place *place);

void path_close(struct place *place);

/*
 * A place that is closed at the end of its block. path_open or path_open_parent must fill it before
 * the block can be left.
 */
#define cleanup_place __attribute__((cleanup(path_close)))

/* What `fd` (O_PATH will do) is, with the id of its mount. Returns 0 or -errno. */
int path_identify(int fd, struct statx *st);

/* The same object seen through the same mount. */
bool path_same(const struct statx *a, const struct statx *b);

#endif
