/* A mount namespace for the time it takes to start a program in it. */
#include "tsrun.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

/*
 * setns(2) leaves the working directory at the root of the namespace. It refuses a thread that
 * shares its working directory with another, and the engine may have started one meanwhile.
 */
static int go_back(int namespace_fd, int cwd_fd) {
    if (unshare(CLONE_FS) < 0 || setns(namespace_fd, CLONE_NEWNS) < 0 || fchdir(cwd_fd) < 0)
        return -errno;
    return 0;
}

int tsrun_enter_private(const char *source, const char *target, int32_t *out) {
    int result;
    int namespace_fd = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
    int cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (namespace_fd < 0 || cwd_fd < 0 || unshare(CLONE_NEWNS) < 0) {
        result = -errno;
        goto out;
    }
    /* What the host unmounts is unmounted here as well; nothing goes the other way. */
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
        mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0) {
        result = -errno;
        int back = go_back(namespace_fd, cwd_fd);
        if (back < 0)
            result = back;
        goto out;
    }
    out[0] = namespace_fd;
    out[1] = cwd_fd;
    return 0;

out:
    if (namespace_fd >= 0)
        close(namespace_fd);
    if (cwd_fd >= 0)
        close(cwd_fd);
    return result;
}

int tsrun_leave_private(int namespace_fd, int cwd_fd) {
    int result = go_back(namespace_fd, cwd_fd);
    close(namespace_fd);
    close(cwd_fd);
    return result;
}
