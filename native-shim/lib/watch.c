/* Descriptors that become readable when something happens to a cgroup. */
#include "tsrun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

int tsrun_watch_file(const char *path) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (inotify_add_watch(fd, path, IN_MODIFY) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int tsrun_oom_eventfd(const char *cgroup) {
    int result, directory = -1, oom = -1, control = -1;
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return -errno;
    directory = open(cgroup, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        result = -errno;
        goto out;
    }
    oom = openat(directory, "memory.oom_control", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    control = oom < 0 ? -1 : openat(directory, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
    if (control < 0) {
        result = -errno;
        goto out;
    }
    char line[32];
    int length = snprintf(line, sizeof line, "%d %d", event, oom);
    if (length < 0 || (size_t)length >= sizeof line) {
        result = -EOVERFLOW;
        goto out;
    }
    ssize_t written = write(control, line, (size_t)length);
    result = written < 0 ? -errno : event;
out:
    if (control >= 0)
        close(control);
    if (oom >= 0)
        close(oom);
    if (directory >= 0)
        close(directory);
    if (result < 0)
        close(event);
    return result;
}
