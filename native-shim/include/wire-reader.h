/*
 * Reading a plan: what the decoders of wire.h use. Nothing is read beyond the end of the buffer.
 * Compiles in hosted and freestanding C.
 */
#ifndef TSRUN_WIRE_READER_H
#define TSRUN_WIRE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes from `at` to `end` have not been read. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct wire_bytes {
    const uint8_t *data;
    uint32_t size;
};

/* A list whose items are checked when it is read. Use strs_next on a copy. */
struct wire_strs {
    const uint8_t *at;
    uint32_t count;
};

struct wire_u32s {
    const uint8_t *at;
    uint32_t count;
};

static inline size_t reader_left(const struct reader *r) {
    return (size_t)(r->end - r->at);
}

/* Plans are little endian and unaligned. */
static inline uint32_t load_u16(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t load_u32(const uint8_t *at) {
    return load_u16(at) | load_u16(at + 2) << 16;
}

static inline uint64_t load_u64(const uint8_t *at) {
    return (uint64_t)load_u32(at) | (uint64_t)load_u32(at + 4) << 32;
}

static inline bool read_u32(struct reader *r, uint32_t *value) {
    if (reader_left(r) < 4)
        return false;
    *value = load_u32(r->at);
    r->at += 4;
    return true;
}

static inline bool read_u64(struct reader *r, uint64_t *value) {
    if (reader_left(r) < 8)
        return false;
    *value = load_u64(r->at);
    r->at += 8;
    return true;
}

static inline bool read_i32(struct reader *r, int32_t *value) {
    uint32_t raw;

    if (!read_u32(r, &raw))
        return false;
    *value = (int32_t)raw;
    return true;
}

static inline bool read_i64(struct reader *r, int64_t *value) {
    uint64_t raw;

    if (!read_u64(r, &raw))
        return false;
    *value = (int64_t)raw;
    return true;
}

static inline bool read_bytes(struct reader *r, struct wire_bytes *bytes) {
    uint32_t size;

    if (!read_u32(r, &size) || size > reader_left(r))
        return false;
    bytes->data = r->at;
    bytes->size = size;
    r->at += size;
    return true;
}

/* The string has one NUL, at its end, so that it is a C string. */
static inline bool read_str(struct reader *r, const char **text) {
    struct wire_bytes bytes;

    if (!read_bytes(r, &bytes) || reader_left(r) < 1 || *r->at != 0)
        return false;
    for (uint32_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] == 0)
            return false;
    r->at++;
    *text = (const char *)bytes.data;
    return true;
}

static inline bool read_strs(struct reader *r, struct wire_strs *list) {
    const char *text;

    if (!read_u32(r, &list->count))
        return false;
    list->at = r->at;
    for (uint32_t i = 0; i < list->count; i++)
        if (!read_str(r, &text))
            return false;
    return true;
}

static inline bool read_u32s(struct reader *r, struct wire_u32s *list) {
    if (!read_u32(r, &list->count) || list->count > reader_left(r) / 4)
        return false;
    list->at = r->at;
    r->at += (size_t)list->count * 4;
    return true;
}

/*
 * The next item, or NULL after the last: `for (struct wire_strs l = o->args; (s =
 * strs_next(&l));)`.
 */
static inline const char *strs_next(struct wire_strs *list) {
    const char *text;

    if (list->count == 0)
        return NULL;
    list->count--;
    text = (const char *)list->at + 4;
    list->at += (size_t)load_u32(list->at) + 5;
    return text;
}

/* Item `index`, which must be below `list->count`. */
static inline uint32_t u32s_at(const struct wire_u32s *list, uint32_t index) {
    return load_u32(list->at + (size_t)index * 4);
}

#endif
