/* device: what /dev holds besides mounts and links. */
#include "path.h"

/* Opens what `name` is in the directory, a link itself and not what it names. */
static int open_entry(int directory, const char *name, struct statx *st) {
    int error, fd = sys_openat2(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
                                RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);

    if (fd < 0)
        return fd;
    error = path_identify(fd, st);
    if (error == 0)
        return fd;
    sys_close(fd);
    return error;
}

static bool is_device(const struct statx *st, const struct op_device *o) {
    if ((st->stx_mode & S_IFMT) != (o->mode & S_IFMT))
        return false;
    return S_ISFIFO(o->mode) || (st->stx_rdev_major == o->major && st->stx_rdev_minor == o->minor);
}

int run_device(struct context *c, const struct op_device *o) {
    char name[NAME_MAX + 1];
    struct place parent;
    struct statx st;
    unsigned int mask;
    int made, error, fd;

    /* What dev_t has room for. */
    if (o->major >= 1u << 12 || o->minor >= 1u << 20)
        return fail(c, -EINVAL, o->path, " (no such device number)");
    error = path_open_parent(c, o->path, &parent, name);
    if (error < 0)
        return error;
    mask = sys_umask(0);
    made = sys_mknodat(parent.fd, name, o->mode,
                       (o->minor & 0xff) | o->major << 8 | (o->minor & ~0xffu) << 12);
    sys_umask(mask);
    if (made < 0 && made != -EEXIST) {
        error = fail(c, made, o->path);
        goto out;
    }
    error = fd = open_entry(parent.fd, name, &st);
    if (fd < 0) {
        fail(c, fd, o->path);
        goto out;
    }
    if (!is_device(&st, o))
        error = fail(c, -EEXIST, o->path, " (in the rootfs, and not this device)");
    else if (made == -EEXIST)
        error = 0;
    else {
        error = sys_fchownat(fd, "", o->uid, o->gid, AT_EMPTY_PATH);
        if (error < 0)
            fail(c, error, o->path, " (owner)");
    }
    sys_close(fd);
out:
    path_close(&parent);
    return error;
}
