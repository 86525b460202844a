/*
 * Paths inside the rootfs. The image, and containers that share a volume with this one, decide what
 * every part of a path is and may change it at any moment. A path is opened once; from then on only
 * its descriptor is used.
 */
#ifndef TSRUN_INIT_PATH_H
#define TSRUN_INIT_PATH_H

#include "init.h"

/*
 * Makes a missing path: directories with mode 0755, with PATH_MAKE_FILE an empty file as its last
 * part.
 */
#define PATH_MAKE_DIRECTORY 1u
#define PATH_MAKE_FILE      2u
/*
 * No part may be a symbolic link (ELOOP). Otherwise links resolve inside the rootfs, also dangling
 * ones.
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
     * Where it was when it was opened, without links, "." or ".." and leading slash; "" is the
     * root.
     */
    char path[PATH_MAX];
};

/*
 * Opens `path`, with or without a leading slash, below c->rootfs. Returns 0, or -errno with a
 * detail and without a descriptor in `place`.
 */
int path_open(struct context *c, const char *path, unsigned int flags, struct place *place);

/*
 * Opens the directory of `path`, which is made if it is missing, and copies the last part to
 * `name`. Returns as path_open does.
 */
int path_open_parent(struct context *c, const char *path, struct place *parent,
                     char name[NAME_MAX + 1]);

/*
 * Opens the path of the place again: the mount that is topmost there now. Returns an O_PATH
 * descriptor or -errno, without a detail.
 */
int path_reopen(struct context *c, const struct place *place);

void path_close(struct place *place);

/*
 * A place that is closed at the end of its block. path_open or path_open_parent must fill it before
 * the block can be left.
 */
#define cleanup_place __attribute__((cleanup(path_close)))

/* Reads the status of `fd`, which may be O_PATH, with the id of its mount. Returns 0 or -errno. */
int path_identify(int fd, struct statx *st);

/* The same file, seen through the same mount. */
bool path_same(const struct statx *a, const struct statx *b);

#endif
