/* A mount namespace for the time it takes to start a program in it. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

/*
 * setns(2) leaves the working directory at the root of the namespace. It refuses a thread that
 * shares its working directory with another; the engine may have started such a thread meanwhile.
 */
static int go_back(int mount_namespace, int cwd) {
    if (unshare(CLONE_FS) < 0 || setns(mount_namespace, CLONE_NEWNS) < 0 || fchdir(cwd) < 0)
        return -errno;
    return 0;
}

/*
 * Moves the calling thread into a mount namespace of its own and binds `source` to `target` there.
 * `out`: the mount namespace and the working directory before, for tsrun_leave_private.
 */
int tsrun_enter_private(const char *source, const char *target, int32_t *out) {
    cleanup_close int mount_namespace = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
    cleanup_close int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (mount_namespace < 0 || cwd < 0 || unshare(CLONE_NEWNS) < 0)
        return -errno;
    /* What the host unmounts is unmounted here as well; nothing goes the other way. */
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
        mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0) {
        int error = -errno;
        int back = go_back(mount_namespace, cwd);

        return back < 0 ? back : error;
    }
    out[0] = take_fd(&mount_namespace);
    out[1] = take_fd(&cwd);
    return 0;
}

int tsrun_leave_private(int mount_namespace, int cwd) {
    int result = go_back(mount_namespace, cwd);

    close(mount_namespace);
    close(cwd);
    return result;
}
