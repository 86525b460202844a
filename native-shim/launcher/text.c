/* Strings, and what the compiler calls by itself. */
#include "launcher.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;

    while (size-- > 0)
        *t++ = *f++;
    return to;
}

void *memset(void *at, int byte, size_t size) {
    unsigned char *a = at;

    while (size-- > 0)
        *a++ = (unsigned char)byte;
    return at;
}

size_t strlen(const char *text) {
    size_t size = 0;

    while (text[size] != '\0')
        size++;
    return size;
}

int strncmp(const char *a, const char *b, size_t size) {
    for (; size > 0; size--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a - (unsigned char)*b;
        if (*a == '\0')
            break;
    }
    return 0;
}

void text_add(struct text *text, const char *more, size_t size) {
    if (text->cut || size >= sizeof text->bytes - text->size) {
        text->cut = true;
        return;
    }
    memcpy(text->bytes + text->size, more, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_add_string(struct text *text, const char *more) {
    text_add(text, more, strlen(more));
}

void text_add_number(struct text *text, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add(text, digits + at, sizeof digits - at);
}
