/* What the compiler calls by itself, and the few string functions that are used; C11 7.24. */
#include "sys.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;

    while (size-- > 0)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;

    if ((uintptr_t)t < (uintptr_t)f)
        return memcpy(to, from, size);
    while (size-- > 0)
        t[size] = f[size];
    return to;
}

void *memset(void *at, int byte, size_t size) {
    unsigned char *a = at;

    while (size-- > 0)
        *a++ = (unsigned char)byte;
    return at;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *x = a, *y = b;

    for (; size > 0; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text) {
    size_t size = 0;

    while (text[size] != 0)
        size++;
    return size;
}

int strncmp(const char *a, const char *b, size_t size) {
    for (; size > 0; size--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a - (unsigned char)*b;
        if (*a == 0)
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int byte) {
    for (;; text++) {
        if (*text == (char)byte)
            return (char *)text;
        if (*text == 0)
            return NULL;
    }
}

char *strrchr(const char *text, int byte) {
    char *found = NULL;

    for (;; text++) {
        if (*text == (char)byte)
            found = (char *)text;
        if (*text == 0)
            return found;
    }
}
