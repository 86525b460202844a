/* How the kernel runs the process: scheduler, I/O priority, memory nodes, personality. */
#include "init.h"

#include <linux/ioprio.h>
#include <linux/sched/types.h>

int run_scheduler(struct context *c, const struct op_scheduler *o) {
    struct sched_attr attr = {
        .size = sizeof(attr),
        .sched_policy = o->policy,
        .sched_flags = o->flags,
        .sched_nice = o->nice,
        .sched_priority = o->priority,
        .sched_runtime = o->runtime,
        .sched_deadline = o->deadline,
        .sched_period = o->period,
    };
    int error = sys_sched_setattr(0, &attr);

    return error < 0 ? fail(c, error, "sched_setattr") : 0;
}

int run_io_priority(struct context *c, const struct op_io_priority *o) {
    int error;

    if (o->io_class >= 1u << (16 - IOPRIO_CLASS_SHIFT) || o->priority >= 1u << IOPRIO_CLASS_SHIFT)
        return fail(c, -EINVAL, "ioprio_set");
    error = sys_ioprio_set(IOPRIO_WHO_PROCESS, 0,
                           (int)(o->io_class << IOPRIO_CLASS_SHIFT | o->priority));
    return error < 0 ? fail(c, error, "ioprio_set") : 0;
}

int run_personality(struct context *c, const struct op_personality *o) {
    int error = sys_personality(o->persona);

    return error < 0 ? fail(c, error, "personality") : 0;
}

int run_memory_policy(struct context *c, const struct op_memory_policy *o) {
    int error;

    if (o->nodes.size % sizeof(uint64_t) != 0)
        return fail(c, -EINVAL, "set_mempolicy");
    /* The kernel uses one bit less than it is told. */
    error = sys_set_mempolicy((int)o->mode, o->nodes.size == 0 ? NULL : o->nodes.data,
                              o->nodes.size == 0 ? 0 : (unsigned long)o->nodes.size * 8 + 1);
    return error < 0 ? fail(c, error, "set_mempolicy") : 0;
}
