#include "text.h"

char *format_number(char buffer[NUMBER_SIZE], uint64_t number) {
    char *at = buffer + NUMBER_SIZE - 1;

    *at = 0;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return at;
}

bool parse_number(const char *text, uint64_t max, uint64_t *number) {
    *number = 0;
    if (*text == 0)
        return false;
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (*number > (max - (uint64_t)(*text - '0')) / 10)
            return false;
        *number = *number * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int copy_text(char *to, size_t size, const char *from) {
    size_t length = strlen(from);

    if (length >= size)
        return -ENAMETOOLONG;
    memcpy(to, from, length + 1);
    return 0;
}

int append_text(char *to, size_t size, const char *from) {
    size_t used = strlen(to);

    return copy_text(to + used, size - used, from);
}
