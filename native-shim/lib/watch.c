/* Descriptors that become readable when something happens to a cgroup. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

int tsrun_watch_file(const char *path) {
    cleanup_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0)
        return -errno;
    return take_fd(&fd);
}

int tsrun_oom_eventfd(const char *cgroup) {
    cleanup_close int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    cleanup_close int directory = -1, oom = -1, control = -1;
    char line[32];
    int length;

    if (event < 0)
        return -errno;
    directory = open(cgroup, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    oom = openat(directory, "memory.oom_control", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (oom < 0)
        return -errno;
    control = openat(directory, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
    if (control < 0)
        return -errno;
    length = snprintf(line, sizeof(line), "%d %d", event, oom);
    if (length < 0 || (size_t)length >= sizeof(line))
        return -EOVERFLOW;
    if (write(control, line, (size_t)length) < 0)
        return -errno;
    return take_fd(&event);
}
