/* The one way in which the launcher gives up. */
#include "launcher.h"

/* The reasons a launcher meets, in words (strerror(3)); NULL for the rest. */
static const char *reason(int error) {
    switch (-error) {
    case EPERM:
        return "operation not permitted";
    case ENOENT:
        return "no such file or directory";
    case EIO:
        return "input/output error";
    case E2BIG:
        return "argument list too long";
    case ENOEXEC:
        return "exec format error";
    case ENOMEM:
        return "cannot allocate memory";
    case EACCES:
        return "permission denied";
    case ENFILE:
        return "too many open files in system";
    case EMFILE:
        return "too many open files";
    default:
        return NULL;
    }
}

_Noreturn void fail(const char *what, const char *path, const char *why, int error) {
    struct text line = {.size = 0};

    text_add_string(&line, "tsrun: ");
    text_add_string(&line, what);
    text_add_string(&line, path);
    text_add_string(&line, why);
    if (error < 0) {
        const char *words = reason(error);

        text_add_string(&line, ": ");
        text_add_string(&line, words == NULL ? "errno " : words);
        if (words == NULL)
            text_add_number(&line, (uint64_t)-error);
    }
    text_add_string(&line, "\n");
    /* Nobody is left to tell when this fails. */
    (void)sys_write(2, line.bytes, line.size);
    sys_exit(1);
}
