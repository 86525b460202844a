/* New and reconfigured superblocks, through fsopen(2) and fspick(2). */
#ifndef TSRUN_INIT_FILESYSTEM_H
#define TSRUN_INIT_FILESYSTEM_H

#include "mount.h"

/*
 * Changes options of the superblock mounted at `at`, as MS_REMOUNT does. Returns 0, or -errno with
 * a detail that has the kernel's messages.
 */
int filesystem_reconfigure(struct context *c, const struct place *at, struct wire_strs options);

#endif
