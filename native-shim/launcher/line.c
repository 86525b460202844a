#include "launcher.h"

void add_bytes(struct line *line, const char *bytes, size_t size) {
    if (line->cut || size >= sizeof(line->bytes) - line->size) {
        line->cut = true;
        return;
    }
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
    line->bytes[line->size] = '\0';
}

void add_string(struct line *line, const char *string) {
    add_bytes(line, string, strlen(string));
}

void add_number(struct line *line, uint64_t number) {
    char digits[NUMBER_SIZE];

    add_string(line, format_number(digits, number));
}
