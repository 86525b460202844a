#ifndef TSRUN_INIT_PROCFS_H
#define TSRUN_INIT_PROCFS_H

#include "init.h"

/*
 * A filesystem context (fsopen(2)) of a procfs that shows the namespace of procfsPidNamespace, or
 * that of this process when the plan has named none. Returns a descriptor or -errno, with a detail.
 */
int procfs_open_context(struct context *c);

#endif
