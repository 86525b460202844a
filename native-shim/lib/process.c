/* Processes by pidfd: waiting, signalling, reaping. */
#include "internal.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static int64_t now_ms(void) {
    struct timespec now;

    /* Cannot fail: the clock exists and the pointer is valid. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int poll_one(int fd, short events, int timeout_ms) {
    const int64_t deadline = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
    int rest = timeout_ms;

    for (;;) {
        struct pollfd entry = {.fd = fd, .events = events};
        int ready = poll(&entry, 1, rest);

        if (ready > 0)
            return (entry.revents & POLLNVAL) != 0 ? -EBADF : 1;
        if (ready == 0)
            return 0;
        if (errno != EINTR)
            return -errno;
        if (timeout_ms >= 0) {
            int64_t left = deadline - now_ms();

            rest = left > 0 ? (int)left : 0;
        }
    }
}

int tsrun_pidfd_open(int pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0u);

    return fd < 0 ? -errno : (int)fd;
}

int tsrun_pidfd_getfd(int pidfd, int fd) {
    long copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0u);

    return copy < 0 ? -errno : (int)copy;
}

int tsrun_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0u) < 0 ? -errno : 0;
}

/* 1: has ended, 0: still runs. */
int tsrun_wait_pidfd(int pidfd, int timeout_ms) {
    return poll_one(pidfd, POLLIN, timeout_ms);
}

/* 1: reaped, with the status in *out, 0: still runs. */
int tsrun_reap(int pidfd, int32_t *out) {
    siginfo_t info = {0};
    int result;

    do
        result = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return -errno;
    if (info.si_pid == 0)
        return 0;
    *out = shell_status(&info);
    return 1;
}

int tsrun_subreaper(int on) {
    return prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)on, 0ul, 0ul, 0ul) < 0 ? -errno : 0;
}

int tsrun_exit(int status) {
    _exit(status);
}
