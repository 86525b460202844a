/* Joining cgroups. */
#include "init.h"

int run_open_cgroup(struct context *c, const struct op_open_cgroup *o) {
    int fd = (int)sys_openat(AT_FDCWD, o->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);

    if (fd < 0)
        return fail(c, fd, o->path);
    return slot_put(c, o->slot, fd);
}

int run_join_cgroup(struct context *c, const struct op_join_cgroup *o) {
    static const char self[] = "0";
    int fd = slot_get(c, o->slot);
    long written;

    if (fd < 0)
        return fd;
    do
        written = sys_write(fd, self, sizeof(self) - 1);
    while (written == -EINTR);
    slot_close(c, o->slot);
    return written < 0 ? (int)written : 0;
}
