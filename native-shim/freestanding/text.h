/* Small texts in fixed buffers. */
#ifndef TSRUN_FREESTANDING_TEXT_H
#define TSRUN_FREESTANDING_TEXT_H

#include "sys.h"

/* Writes the decimal digits of `number` and a NUL; returns their start in `buffer`. */
#define NUMBER_SIZE 24
char *format_number(char buffer[NUMBER_SIZE], uint64_t number);
/* Reads decimal digits only, at least one; false also for a number above `max`. */
bool parse_number(const char *text, uint64_t max, uint64_t *number);
bool starts_with(const char *text, const char *prefix);
/* Copies with the NUL; -ENAMETOOLONG when it does not fit. */
int copy_text(char *to, size_t size, const char *from);
/* Appends to `to`; -ENAMETOOLONG when it does not fit, and `to` stays as it was. */
int append_text(char *to, size_t size, const char *from);

#endif
