/* The CPUs that the process may run on. */
#include "init.h"

/* The kernel's largest NR_CPUS. */
#define MAX_CPUS 8192

int run_affinity(struct context *c, const struct op_affinity *o) {
    /* The kernel reads whole words. Bits that the plan leaves out are 0. */
    unsigned long mask[MAX_CPUS / (8 * sizeof(unsigned long))] = {0};
    int error;

    if (o->cpus.size > sizeof(mask))
        return fail(c, -E2BIG, "more CPUs than a mask can hold");
    if (o->cpus.size == 0)
        memset(mask, 0xff, sizeof(mask));
    memcpy(mask, o->cpus.data, o->cpus.size);
    error = sys_sched_setaffinity(0, sizeof(mask), mask);
    return error < 0 ? fail(c, error, "sched_setaffinity") : 0;
}
