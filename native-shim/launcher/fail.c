/* Error messages of the launcher. */
#include "launcher.h"

/* The text of an error, as strerror(3) has it; NULL for those that the launcher does not expect. */
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
    struct line line = {.size = 0};

    add_string(&line, "tsrun: ");
    add_string(&line, what);
    add_string(&line, path);
    add_string(&line, why);
    if (error < 0) {
        const char *words = reason(error);

        add_string(&line, ": ");
        add_string(&line, words == NULL ? "errno " : words);
        if (words == NULL)
            add_number(&line, (uint64_t)-error);
    }
    add_string(&line, "\n");
    /* An error here cannot be reported. */
    (void)sys_write(2, line.bytes, line.size);
    sys_exit(1);
}
