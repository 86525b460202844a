/* Pipes, and waiting for the first of several descriptors. */
#include "tsrun.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

int tsrun_pipe(int32_t *out) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    out[0] = ends[0];
    out[1] = ends[1];
    return 0;
}

int tsrun_poll(const int32_t *fds, unsigned int count, int timeout_ms) {
    struct pollfd entries[TSRUN_POLL_FDS];
    if (count > TSRUN_POLL_FDS)
        return -EINVAL;
    for (unsigned int i = 0; i < count; i++)
        entries[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    int ready = poll(entries, count, timeout_ms);
    if (ready < 0)
        return -errno;
    int mask = 0;
    for (unsigned int i = 0; i < count; i++) {
        if ((entries[i].revents & POLLNVAL) != 0)
            return -EBADF;
        if (entries[i].revents != 0)
            mask |= 1 << i;
    }
    return mask;
}
