/* System calls on files that the engine's own file module does not have. */
#include "tsrun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

int tsrun_flock(int fd, int operation) {
    int result;
    do {
        result = flock(fd, operation);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int tsrun_openat2(int dirfd, const char *path, const void *how_bytes) {
    struct open_how how;
    memcpy(&how, how_bytes, sizeof how);
    how.flags |= O_CLOEXEC;
    long fd;
    /* EAGAIN: a rename or mount elsewhere raced with the lookup, which could not be proved safe. */
    int tries = 128;
    do {
        fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
    return fd < 0 ? -errno : (int)fd;
}

int tsrun_umount2(const char *path, int flags) {
    return umount2(path, flags) < 0 ? -errno : 0;
}

int tsrun_set_cloexec(int fd, int on) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0)
        return -errno;
    flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
    return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

int tsrun_set_xattr(const char *path, const char *name, const char *value) {
    return lsetxattr(path, name, value, strlen(value), 0) < 0 ? -errno : 0;
}

int tsrun_get_xattr(const char *path, const char *name, void *value, unsigned int size) {
    ssize_t length = lgetxattr(path, name, value, size);
    return length < 0 ? -errno : (int)length;
}
