/* Pipes, and waiting for the first of several descriptors. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>

int tsrun_pipe(int32_t *out) {
    return pipe2(out, O_CLOEXEC) < 0 ? -errno : 0;
}

int tsrun_poll(const int32_t *fds, unsigned int count, int timeout_ms) {
    struct pollfd entries[MAX_POLL_FDS];
    int mask = 0;

    if (count > MAX_POLL_FDS)
        return -EINVAL;
    for (unsigned int i = 0; i < count; i++)
        entries[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    if (poll(entries, count, timeout_ms) < 0)
        return -errno;
    for (unsigned int i = 0; i < count; i++) {
        if ((entries[i].revents & POLLNVAL) != 0)
            return -EBADF;
        if (entries[i].revents != 0)
            mask |= 1 << i;
    }
    return mask;
}
