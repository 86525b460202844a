/*
 * Walking a plan. wire_open checks all of it, with every payload, so that a plan is refused before
 * anything has happened. Compiles in hosted and freestanding C.
 */
#ifndef TSRUN_WIRE_PLAN_H
#define TSRUN_WIRE_PLAN_H

#include "wire.h"

#define WIRE_HEADER_BYTES    20
#define WIRE_OP_HEADER_BYTES 8

struct wire_plan {
    /* The operations. */
    struct reader ops;
    uint32_t op_count;
    uint32_t slot_count;
};

struct wire_op {
    uint32_t code;
    struct wire_bytes payload;
};

/* The processes in which operation `code` may run; 0 for an unknown code. */
static inline int wire_stage(uint32_t code) {
#define WIRE_STAGE(name, op_code, stage)                                                           \
    case op_code:                                                                                  \
        return stage;

    switch (code) {
        WIRE_OPS(WIRE_STAGE)
    default:
        return 0;
    }
#undef WIRE_STAGE
}

/* True when the payload is complete and correct for its operation. */
static inline bool wire_check_payload(const struct wire_op *op) {
#define WIRE_CHECK(name, op_code, stage)                                                           \
    case op_code: {                                                                                \
        struct op_##name o;                                                                        \
        return decode_##name(&r, &o);                                                              \
    }
    struct reader r = {op->payload.data, op->payload.data + op->payload.size};

    switch (op->code) {
        WIRE_OPS(WIRE_CHECK)
    default:
        return false;
    }
#undef WIRE_CHECK
}

/* Takes the next operation from `ops`. False at the end, and when the rest is no operation. */
static inline bool wire_next(struct reader *ops, struct wire_op *op) {
    uint32_t size;

    if (reader_left(ops) < WIRE_OP_HEADER_BYTES || load_u16(ops->at + 2) != 0)
        return false;
    op->code = load_u16(ops->at);
    size = load_u32(ops->at + 4);
    if (size > reader_left(ops) - WIRE_OP_HEADER_BYTES)
        return false;
    op->payload.data = ops->at + WIRE_OP_HEADER_BYTES;
    op->payload.size = size;
    ops->at = op->payload.data + size;
    return true;
}

/*
 * Checks `bytes` and fills `plan`. Returns NULL for a plan: known operations, each in its process,
 * and `exec` at the end. Otherwise returns what is wrong, with the index of the operation or
 * WIRE_NO_OP in `bad_op`.
 */
static inline const char *wire_open(struct wire_bytes bytes, struct wire_plan *plan,
                                    uint32_t *bad_op) {
    struct reader ops = {bytes.data, bytes.data + bytes.size};
    struct wire_op op = {0, {NULL, 0}};
    int stage = STAGE_A;

    *bad_op = WIRE_NO_OP;
    if (bytes.size < WIRE_HEADER_BYTES || bytes.size > WIRE_MAX_BYTES)
        return "the plan has a size no plan has";
    if (load_u32(bytes.data) != WIRE_MAGIC)
        return "this is not a plan";
    if (load_u32(bytes.data + 4) != WIRE_VERSION)
        return "the plan is of another version of tsrun";
    if (load_u32(bytes.data + 8) != bytes.size)
        return "the plan is not whole";
    plan->op_count = load_u32(bytes.data + 12);
    plan->slot_count = load_u32(bytes.data + 16);
    if (plan->slot_count < SLOT_FIRST || plan->slot_count > WIRE_MAX_SLOTS)
        return "the plan has too few or too many slots";
    ops.at += WIRE_HEADER_BYTES;
    plan->ops = ops;

    for (uint32_t i = 0; i < plan->op_count; i++) {
        *bad_op = i;
        if (!wire_next(&ops, &op))
            return "the plan ends before its last operation";
        if (wire_stage(op.code) == 0)
            return "the plan has an operation this init does not know";
        if ((wire_stage(op.code) & stage) == 0)
            return "the operation cannot run in this process";
        if (!wire_check_payload(&op))
            return "the operation is garbled";
        if (op.code == OP_EXEC && i + 1 != plan->op_count)
            return "an operation follows exec";
        if (op.code == OP_CLONE || op.code == OP_CLONE_VISIBLE)
            stage = STAGE_B;
    }
    *bad_op = WIRE_NO_OP;
    if (ops.at != ops.end)
        return "the plan has bytes after its last operation";
    if (op.code != OP_EXEC)
        return "the plan does not end with exec";
    return NULL;
}

#endif
