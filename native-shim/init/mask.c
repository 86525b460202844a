/* maskPath and readonlyPath. */
#include "mount.h"

/* The device number of /dev/null. */
#define NULL_MAJOR 1
#define NULL_MINOR 3

#define MASK_ATTRIBUTES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

/* Returns `fd` if it is /dev/null, which an image may have replaced; otherwise closes it. */
static int check_null(int fd) {
    struct statx st;

    if (fd < 0)
        return fd;
    if (path_identify(fd, &st) == 0 && S_ISCHR(st.stx_mode) && st.stx_rdev_major == NULL_MAJOR &&
        st.stx_rdev_minor == NULL_MINOR)
        return fd;
    sys_close(fd);
    return -ENODEV;
}

/*
 * The container's own /dev/null, not the host's: who removes the read-only mount over it could
 * change the node's mode and owner.
 */
static int open_null(struct context *c) {
    struct place at;
    int fd = path_open(c, "dev/null", PATH_NO_FOLLOW, &at);

    set_detail(c, NULL);
    fd = check_null(fd < 0 ? fd : at.fd);
    if (fd < 0)
        fd = check_null(sys_openat(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0));
    return fd;
}

static int clone_null(struct context *c) {
    /* Kept open for all masked files. */
    static int null = -1;

    if (null < 0)
        null = open_null(c);
    if (null < 0)
        return fail(c, null, "/dev/null (to mask files with)");
    return mount_clone(c, null, "", AT_EMPTY_PATH, FAULT_NONE, "/dev/null");
}

static int make_empty_directory(struct context *c) {
    cleanup_close int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
    int mount, error;

    if (fs < 0)
        return fail(c, fs, "tmpfs (to mask directories with)");
    error = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "tmpfs", 0);
    if (error == 0)
        error = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0);
    if (error == 0 && c->mount_label != NULL)
        error = sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", c->mount_label, 0);
    if (error == 0)
        error = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0);
    if (error == 0)
        error = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    mount =
        error < 0 ? error : sys_fsmount(fs, FSMOUNT_CLOEXEC, MASK_ATTRIBUTES | MOUNT_ATTR_NODEV);
    return mount < 0 ? fail(c, mount, "tmpfs (to mask directories with)") : mount;
}

/*
 * All masked directories get the same empty tmpfs. The first mask mounts it, and the others clone
 * that mount, which has to be attached for that before Linux 6.15.
 */
static int clone_empty_directory(struct context *c) {
    static int empty = -1;
    int mount;

    if (empty >= 0)
        return mount_clone(c, empty, "", AT_EMPTY_PATH, FAULT_NONE,
                           "tmpfs (to mask directories with)");
    mount = make_empty_directory(c);
    if (mount < 0)
        return mount;
    empty = sys_fcntl(mount, F_DUPFD_CLOEXEC, c->internal_base);
    return mount;
}

/* Opens the file to be hidden or protected; *missing: there is none. */
static int open_target(struct context *c, const char *path, struct place *at, bool *missing) {
    int error = path_open(c, path, 0, at);

    *missing = error == -ENOENT || error == -ENOTDIR;
    if (!*missing)
        return error;
    set_detail(c, NULL);
    return 0;
}

int run_mask_path(struct context *c, const struct op_mask_path *o) {
    const struct attributes attributes = {.set = MASK_ATTRIBUTES};
    cleanup_place struct place at;
    cleanup_close int tree = -1;
    bool missing;
    int error = open_target(c, o->path, &at, &missing);

    if (error < 0 || missing)
        return error;
    tree = S_ISDIR(at.st.stx_mode) ? clone_empty_directory(c) : clone_null(c);
    return tree < 0 ? tree : mount_attach(c, tree, &at, &attributes);
}

int run_readonly_path(struct context *c, const struct op_readonly_path *o) {
    const struct attributes attributes = {.set = MOUNT_ATTR_RDONLY};
    cleanup_place struct place at;
    cleanup_close int tree = -1;
    bool missing;
    int error = open_target(c, o->path, &at, &missing);

    if (error < 0 || missing)
        return error;
    tree = mount_clone(c, at.fd, "", AT_EMPTY_PATH | AT_RECURSIVE, FAULT_NONE, o->path);
    return tree < 0 ? tree : mount_attach(c, tree, &at, &attributes);
}
