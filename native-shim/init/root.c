/*
 * hostPropagation, rootfs, detachRootfs, enterRoot, readonlyRoot and rootPropagation: from the
 * host's root to the container's.
 */
#include "mount.h"

/* The mount table is read again after every change; this is more than any host needs. */
#define MAX_SCANS 4096

int run_host_propagation(struct context *c, const struct op_host_propagation *o) {
    int error = sys_mount(NULL, "/", NULL, o->flags, NULL);

    if (error < 0)
        return fail(c, error, "propagation of /");
    mount_host_propagation = o->flags;
    return 0;
}

/* Replaces `*directory` by its parent. Returns 1 when it is the topmost directory. */
static int go_up(int *directory) {
    cleanup_close int fd = sys_openat(*directory, "..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    struct statx below, above;
    int error;

    if (fd < 0)
        return fd;
    error = path_identify(*directory, &below);
    if (error == 0)
        error = path_identify(fd, &above);
    if (error < 0)
        return error;
    if (path_same(&below, &above))
        return 1;
    sys_close(*directory);
    *directory = take_fd(&fd);
    return 0;
}

/*
 * Makes the mount of `directory` private: pivot_root(2) refuses a shared new root and a shared
 * mount below it. A clone of a private mount is private.
 */
static int make_private(struct context *c, int directory) {
    cleanup_close int fd = sys_fcntl(directory, F_DUPFD_CLOEXEC, c->internal_base);
    struct statx st;
    int error = 0;

    if (fd < 0)
        return fd;
    while (error == 0) {
        error = path_identify(fd, &st);
        if (error == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
            error = mount_propagation(c, fd, MS_PRIVATE);
            break;
        }
        if (error == 0)
            error = go_up(&fd);
    }
    /*
     * The root of a chroot(2) environment need not be a mount. The mount it is on cannot be
     * reached, and is usually private.
     */
    return error > 0 ? 0 : error;
}

int run_rootfs(struct context *c, const struct op_rootfs *o) {
    cleanup_close int fd = sys_openat(AT_FDCWD, o->path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    cleanup_close int tree = -1;
    int error;

    if (fd < 0)
        return fail(c, fd, o->path);
    if (mount_host_propagation == 0) {
        /* The mounts are the caller's, and must not be changed. */
        c->rootfs = take_fd(&fd);
        return 0;
    }
    error = make_private(c, fd);
    if (error < 0)
        return error;
    /* Recursive: in a user namespace the kernel refuses a clone without the mounts below. */
    tree = mount_clone(c, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, FAULT_NONE, o->path);
    if (tree < 0)
        return tree;
    error = sys_move_mount(tree, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    if (error < 0)
        return fail(c, error, o->path);
    c->rootfs = take_fd(&tree);
    return 0;
}

/*
 * pivot_root(2) with two equal paths puts the old root on top of the new one. So the image, which
 * may be read-only, needs no directory for it.
 */
static int pivot(struct context *c) {
    cleanup_close int old = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    int error;

    if (old < 0)
        return fail(c, old, "/");
    error = sys_fchdir(c->rootfs);
    if (error == 0)
        error = sys_pivot_root(".", ".");
    if (error < 0)
        return fail(c, error,
                    error == -EINVAL
                        ? "pivot_root (on the initial ramfs and in a chroot only --no-pivot works)"
                        : "pivot_root");
    /* The unmount must not propagate to the host's mounts, of which these are copies. */
    error = sys_fchdir(old);
    if (error == 0)
        error = sys_mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL);
    if (error == 0)
        error = sys_umount2(".", UMOUNT_DETACH);
    return error < 0 ? fail(c, error, "detaching the old root") : 0;
}

/* A file that is read line by line. */
struct lines {
    int fd;
    size_t at;
    size_t end;
    char buffer[4096];
};

/*
 * Reads one line into `line`, with a NUL in the place of its newline. Returns its length, 0 at the
 * end.
 */
static long read_line(struct lines *in, char *line, size_t size) {
    size_t used = 0;

    for (;;) {
        char byte;

        if (in->at == in->end) {
            long got = sys_read(in->fd, in->buffer, sizeof(in->buffer));

            if (got <= 0)
                return got;
            in->at = 0;
            in->end = (size_t)got;
        }
        byte = in->buffer[in->at++];
        if (byte == '\n')
            break;
        /* The end of a line that is too long is dropped: it has only options of the superblock. */
        if (used + 1 < size)
            line[used++] = byte;
    }
    line[used] = 0;
    return (long)used;
}

/* Takes the next field of the line, and decodes \040 and the like. */
static char *next_field(char **line) {
    char *field = *line, *from = field, *to = field;

    while (*from != 0 && *from != ' ') {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
            from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
            *to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *line = *from == 0 ? from : from + 1;
    *to = 0;
    return field;
}

static bool is_below(const char *path, const char *directory) {
    size_t size = strlen(directory);

    return strncmp(path, directory, size) == 0 && (path[size] == '/' || path[size] == 0);
}

/*
 * The mount point of a whole procfs or sysfs outside the rootfs; NULL for other lines. The fields
 * of a line: id, parent, device, root, mount point, options, optional fields, "-", type, source,
 * options.
 */
static char *full_proc_mount(char *line, const char *rootfs) {
    char *root, *point, *field;

    for (int i = 0; i < 3; i++)
        next_field(&line);
    root = next_field(&line);
    point = next_field(&line);
    do
        field = next_field(&line);
    while (*field != 0 && strcmp(field, "-") != 0);
    field = next_field(&line);
    if (strcmp(root, "/") != 0 || (strcmp(field, "proc") != 0 && strcmp(field, "sysfs") != 0) ||
        is_below(point, rootfs))
        return NULL;
    return point;
}

static bool is_kernel_filesystem(const char *path) {
    cleanup_close int fd =
        sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    struct statfs st;

    return fd >= 0 && sys_fstatfs(fd, &st) == 0 &&
           (st.f_type == PROC_SUPER_MAGIC || st.f_type == SYSFS_MAGIC);
}

/* Unmounts it. A user namespace may not unmount mounts that are locked: then a tmpfs covers it. */
static int hide(struct context *c, const char *point) {
    int error = sys_mount(NULL, point, NULL, MS_SLAVE | MS_REC, NULL);

    if (error == 0)
        error = sys_umount2(point, UMOUNT_DETACH | UMOUNT_NOFOLLOW);
    if (error == -EINVAL || error == -EPERM)
        error = sys_mount("tmpfs", point, "tmpfs", MS_RDONLY, NULL);
    return error < 0 ? fail(c, error, "hiding the host's ", point) : 0;
}

/*
 * Reads the mount table up to the first mount that has to be hidden. Returns 1 when there was one,
 * 0 without any.
 */
static int hide_one(struct context *c, int mountinfo, const char *rootfs) {
    struct lines in = {.fd = mountinfo};
    char line[2 * PATH_MAX];
    long size;

    if (sys_lseek(mountinfo, 0, SEEK_SET) < 0)
        return -EIO;
    while ((size = read_line(&in, line, sizeof(line))) > 0) {
        char *point = full_proc_mount(line, rootfs);

        if (point != NULL && is_kernel_filesystem(point)) {
            int error = hide(c, point);

            return error < 0 ? error : 1;
        }
    }
    return (int)size;
}

/* Finds the path of the rootfs. */
static int find_rootfs(struct context *c, char rootfs[PATH_MAX]) {
    char number[NUMBER_SIZE];
    cleanup_close int directory = proc_open(c, "self/fd", O_PATH | O_DIRECTORY);
    long size = directory;

    if (directory >= 0)
        size =
            sys_readlinkat(directory, format_number(number, (uint64_t)c->rootfs), rootfs, PATH_MAX);
    if (size < 0 || size == PATH_MAX)
        return fail(c, size < 0 ? (int)size : -ENAMETOOLONG, "path of the rootfs");
    rootfs[size] = 0;
    return 0;
}

/*
 * After chroot(2) the host's mounts are still there, below the new root. A whole procfs or sysfs
 * among them would allow the container to mount more of them, without the masks on its own.
 */
static __attribute__((noinline)) int hide_proc_mounts(struct context *c) {
    char rootfs[PATH_MAX];
    cleanup_close int mountinfo = proc_open(c, "self/mountinfo", O_RDONLY);
    int error;

    if (mountinfo < 0)
        return fail(c, mountinfo, "/proc/self/mountinfo");
    error = find_rootfs(c, rootfs);
    if (error < 0)
        return error;
    for (int i = 0; i < MAX_SCANS; i++) {
        error = hide_one(c, mountinfo, rootfs);
        if (error <= 0)
            return error;
    }
    return fail(c, -ELOOP, "hiding the host's procfs and sysfs");
}

static int change_root(struct context *c) {
    int error = sys_fchdir(c->rootfs);

    if (error == 0)
        error = sys_chroot(".");
    return error < 0 ? fail(c, error, "chroot") : 0;
}

static int move(struct context *c) {
    int error = hide_proc_mounts(c);

    if (error < 0)
        return error;
    error = sys_move_mount(c->rootfs, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
    return error < 0 ? fail(c, error, "moving the rootfs over /") : change_root(c);
}

int run_enter_root(struct context *c, const struct op_enter_root *o) {
    int error = -EINVAL;

    if (c->rootfs < 0)
        return fail(c, -EBADF, "no rootfs");
    if (o->mode == ROOT_MODE_PIVOT)
        error = pivot(c);
    else if (o->mode == ROOT_MODE_MOVE)
        error = move(c);
    else if (o->mode == ROOT_MODE_CHROOT)
        error = change_root(c);
    if (error < 0)
        return error;
    error = sys_chdir("/");
    return error < 0 ? fail(c, error, "/") : 0;
}

int run_detach_rootfs(struct context *c, const struct op_detach_rootfs *o) {
    int tree;

    (void)o;
    if (c->rootfs < 0)
        return fail(c, -EBADF, "no rootfs");
    tree = mount_clone(c, c->rootfs, "", AT_EMPTY_PATH | AT_RECURSIVE, FAULT_NONE, "the rootfs");
    if (tree < 0)
        return tree;
    sys_close(c->rootfs);
    c->rootfs = tree;
    return 0;
}

int run_readonly_root(struct context *c, const struct op_readonly_root *o) {
    const struct attributes attributes = {.set = MOUNT_ATTR_RDONLY};

    (void)o;
    return c->rootfs < 0 ? fail(c, -EBADF, "no rootfs") : mount_change(c, c->rootfs, &attributes);
}

int run_root_propagation(struct context *c, const struct op_root_propagation *o) {
    int error = sys_mount(NULL, "/", NULL, o->flags, NULL);

    return error < 0 ? fail(c, error, "propagation of /") : 0;
}
