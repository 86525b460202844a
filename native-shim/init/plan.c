/* The plan: mapping it, checking it, and running one operation after the other. */
#include "init.h"
#include "wire-plan.h"

int plan_open(struct context *c, int fd) {
    struct stat st;
    struct wire_plan plan;
    const char *wrong;
    void *at;
    int error = sys_fstat(fd, &st);

    if (error < 0)
        return fail(c, error, "the plan cannot be read");
    if (st.st_size < WIRE_HEADER_BYTES || st.st_size > WIRE_MAX_BYTES)
        return fail(c, -EINVAL, "the plan has a size no plan has");
    at = sys_mmap((size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd);
    if (sys_is_error(at))
        return fail(c, (int)(intptr_t)at, "the plan cannot be mapped");
    sys_close(fd);

    wrong = wire_open((struct wire_bytes){at, (uint32_t)st.st_size}, &plan, &c->op);
    if (wrong != NULL)
        return fail(c, -EINVAL, wrong);
    c->ops = plan.ops;
    c->slot_count = plan.slot_count;
    return 0;
}

static int run(struct context *c, const struct wire_op *op) {
#define RUN(name, op_code, op_stage)                                                               \
    case op_code: {                                                                                \
        struct op_##name o;                                                                        \
        return decode_##name(&r, &o) ? run_##name(c, &o) : -EINVAL;                                \
    }
    struct reader r = {op->payload.data, op->payload.data + op->payload.size};

    switch (op->code) {
        WIRE_OPS(RUN)
    default:
        return -EINVAL;
    }
#undef RUN
}

void plan_run(struct context *c) {
    struct wire_op op;

    for (c->op = 0; wire_next(&c->ops, &op); c->op++) {
        int error;

        set_detail(c, NULL);
        error = run(c, &op);
        if (error < 0)
            die(c, error);
    }
    /* Not reached: a plan ends with `exec`. */
    sys_exit(1);
}
