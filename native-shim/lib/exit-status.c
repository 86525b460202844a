/* The exit status of a process, as a shell shows it: what `run` and `exec` end with. */
#include "internal.h"

int shell_status(const siginfo_t *info) {
    return info->si_code == CLD_EXITED ? (info->si_status & 0xff) : 128 + info->si_status;
}
