/* device: device nodes and FIFOs. */
#include "path.h"

/* Opens `name` in the directory; a link is opened itself. */
static int open_entry(int directory, const char *name, struct statx *st) {
    cleanup_close int fd = sys_openat2(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
                                       RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
    int error;

    if (fd < 0)
        return fd;
    error = path_identify(fd, st);
    return error < 0 ? error : take_fd(&fd);
}

static bool is_device(const struct statx *st, const struct op_device *o) {
    if ((st->stx_mode & S_IFMT) != (o->mode & S_IFMT))
        return false;
    return S_ISFIFO(o->mode) || (st->stx_rdev_major == o->major && st->stx_rdev_minor == o->minor);
}

/* Checks and completes what is at the path now. `made`: the result of mknod(2). */
static int finish_device(struct context *c, const struct op_device *o, int parent, const char *name,
                         int made) {
    struct statx st;
    cleanup_close int fd = open_entry(parent, name, &st);
    int error;

    if (fd < 0)
        return fail(c, fd, o->path);
    if (!is_device(&st, o))
        return fail(c, -EEXIST, o->path, " (in the rootfs, and not this device)");
    if (made == -EEXIST)
        return 0;
    error = sys_fchownat(fd, "", o->uid, o->gid, AT_EMPTY_PATH);
    return error < 0 ? fail(c, error, o->path, " (owner)") : 0;
}

static int make_device(struct context *c, const struct op_device *o) {
    char name[NAME_MAX + 1];
    cleanup_place struct place parent;
    int made, error = path_open_parent(c, o->path, &parent, name);
    unsigned int mask;

    if (error < 0)
        return error;
    mask = sys_umask(0);
    made = sys_mknodat(parent.fd, name, o->mode, sys_device_number(o->major, o->minor));
    sys_umask(mask);
    return made < 0 && made != -EEXIST ? fail(c, made, o->path)
                                       : finish_device(c, o, parent.fd, name, made);
}

int run_device(struct context *c, const struct op_device *o) {
    /* The limits of the kernel's dev_t. */
    if (o->major >= 1u << 12 || o->minor >= 1u << 20)
        return fail(c, -EINVAL, o->path, " (no such device number)");
    return make_device(c, o);
}
