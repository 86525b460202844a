/*
 * Feeds the decoders of wire.h thousands of damaged plans: `mutate PLAN SEED ROUNDS`. Built with
 * the sanitizers, which end it at the first byte read outside of a plan. Prints how many plans were
 * taken and how many refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire-plan.h"

static uint64_t state;

/* splitmix64 */
static uint32_t random_below(uint32_t limit) {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % limit);
}

/* What was read, so that no read is optimized away. */
static volatile size_t seen;

static void touch_str(const char *text) {
    seen += strlen(text);
}

static void touch_strs(struct wire_strs list) {
    const char *text;

    while ((text = strs_next(&list)) != NULL)
        touch_str(text);
}

static void touch_u32s(struct wire_u32s list) {
    for (uint32_t i = 0; i < list.count; i++)
        seen += u32s_at(&list, i);
}

/* The operations with texts and lists, whose memory lies in the plan. */
static void touch(uint32_t code, struct reader r) {
    switch (code) {
    case OP_EXEC: {
        struct op_exec o;
        if (decode_exec(&r, &o)) {
            touch_strs(o.args);
            touch_strs(o.env);
        }
        break;
    }
    case OP_MOUNT_FILESYSTEM: {
        struct op_mount_filesystem o;
        if (decode_mount_filesystem(&r, &o)) {
            touch_str(o.destination);
            touch_str(o.source);
            touch_strs(o.options);
            touch_u32s(o.propagation);
        }
        break;
    }
    case OP_USER: {
        struct op_user o;
        if (decode_user(&r, &o))
            touch_u32s(o.groups);
        break;
    }
    case OP_SYSCTL: {
        struct op_sysctl o;
        if (decode_sysctl(&r, &o)) {
            touch_str(o.path);
            touch_str(o.value);
        }
        break;
    }
    default:
        break;
    }
}

/* Every decoder reads every payload: it must be safe with all of them. */
static void decode_all(struct wire_bytes payload) {
#define DECODE(name, code, stage)                                                                  \
    {                                                                                              \
        struct wire_op op = {code, payload};                                                       \
        seen += wire_check_payload(&op);                                                           \
        touch(code, (struct reader){payload.data, payload.data + payload.size});                   \
    }
    WIRE_OPS(DECODE)
#undef DECODE
}

static bool check(const uint8_t *data, uint32_t size) {
    struct wire_bytes bytes = {data, size};
    struct wire_plan plan;
    struct wire_op op;
    uint32_t bad_op;
    const char *wrong = wire_open(bytes, &plan, &bad_op);
    struct reader ops = {data, data + size};

    if (size >= WIRE_HEADER_BYTES)
        ops.at += WIRE_HEADER_BYTES;
    while (wire_next(&ops, &op))
        decode_all(op.payload);
    decode_all(bytes);
    return wrong == NULL;
}

/* A few changes: a byte, a word that is often a length, a cut or a piece copied elsewhere. */
static uint32_t mutate(uint8_t *data, uint32_t size) {
    static const uint32_t words[] = {0, 1, 4, 0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff};

    for (uint32_t changes = 1 + random_below(4); changes > 0 && size > 8; changes--) {
        uint32_t at = random_below(size - 4);
        uint32_t value = random_below(2) == 0
                             ? words[random_below(sizeof(words) / sizeof(words[0]))]
                             : random_below(size * 2);

        switch (random_below(8)) {
        case 0:
            size = at;
            break;
        case 1:
            memmove(data + at, data + random_below(size - 4), 4);
            break;
        case 2:
        case 3:
            memcpy(data + at, &value, 4);
            break;
        default:
            data[at] = (uint8_t)random_below(256);
        }
    }
    /* The size in the header is mostly right: otherwise the rest is never read. */
    if (size >= 12 && random_below(8) != 0)
        memcpy(data + 8, &size, 4);
    return size;
}

int main(int argc, char **argv) {
    static uint8_t plan[1 << 20], changed[1 << 20];
    unsigned long rounds, taken = 0, refused = 0;
    FILE *file;
    uint32_t size;

    if (argc != 4 || (file = fopen(argv[1], "rb")) == NULL)
        return 2;
    size = (uint32_t)fread(plan, 1, sizeof(plan), file);
    fclose(file);
    state = strtoul(argv[2], NULL, 10);
    rounds = strtoul(argv[3], NULL, 10);
    if (!check(plan, size))
        return 3;
    for (; rounds > 0; rounds--) {
        uint32_t left;
        uint8_t *exact;

        memcpy(changed, plan, size);
        left = mutate(changed, size);
        /* Of exactly this size, so that the sanitizer sees a read beyond it. */
        exact = malloc(left > 0 ? left : 1);
        if (exact == NULL)
            return 2;
        memcpy(exact, changed, left);
        if (check(exact, left))
            taken++;
        else
            refused++;
        free(exact);
    }
    printf("%lu %lu\n", taken, refused);
    return 0;
}
