#ifndef TSRUN_INIT_COPYUP_H
#define TSRUN_INIT_COPYUP_H

#include "init.h"

/* Properties of the top directory that are not copied. */
#define COPY_UP_KEEP_MODE 1u
#define COPY_UP_KEEP_UID  2u
#define COPY_UP_KEEP_GID  4u

/*
 * Copies the tree in the directory `from` into the empty directory `to` (O_PATH descriptors):
 * directories, files (holes stay holes, hard links become files of their own), links, FIFOs,
 * sockets and devices, with owner, mode, times and those extended attributes that `to` can hold.
 * What is mounted below `from` is left out. Returns 0, or -errno with a detail.
 */
int copy_up(struct context *c, int from, int to, unsigned int keep);

#endif
