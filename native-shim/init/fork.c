/* Making child processes when the container's own filter may be loaded. */
#include "init.h"

int fork_process(uint64_t flags, int *pidfd) {
    struct clone_args arguments = {
        .flags = flags,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    int pid = sys_clone3(&arguments);

    /* A filter cannot read the arguments of clone3(2), and many deny it. */
    if (pid == -ENOSYS || pid == -EPERM)
        pid = sys_clone(flags | SIGCHLD, pidfd);
    return pid;
}
