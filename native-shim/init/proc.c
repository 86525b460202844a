/*
 * Files of /proc. A hostile image or a shared volume may mount anything over /proc or a file in it.
 * A write that goes to another file has no effect (labels), or an unwanted one (sysrq-trigger). So
 * /proc is opened once, at the start, when nothing of the container exists, and must be the root of
 * a procfs. Below it every path is opened by openat2(2).
 *
 * An outer container may have masked or remounted parts of /proc. A private instance (fsopen(2))
 * shows what is below. It is tried second, because AppArmor in LXC denies every access to a
 * detached procfs.
 */
#include "init.h"

#define PROC_ROOT_INODE 1

/* Returns `fd` if it is the root of a procfs; otherwise closes it. */
static int verify_root(int fd) {
    struct statfs fs;
    struct stat st;
    int error;

    if (fd < 0)
        return fd;
    error = sys_fstatfs(fd, &fs);
    if (error == 0)
        error = sys_fstat(fd, &st);
    if (error == 0 && (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE))
        error = -EXDEV;
    if (error == 0)
        return fd;
    sys_close(fd);
    return error;
}

void proc_init(struct context *c) {
    c->procfs = verify_root(sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
    /* Not tried yet. */
    c->private_procfs = 0;
}

static int open_private(void) {
    int error, root;
    int fs = sys_fsopen("proc", FSOPEN_CLOEXEC);

    if (fs < 0)
        return fs;
    error = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    root = error < 0 ? error
                     : sys_fsmount(fs, FSMOUNT_CLOEXEC,
                                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    sys_close(fs);
    return verify_root(root);
}

static int open_below(int root, const char *path, uint64_t flags) {
    int fd;

    if (root < 0)
        return root;
    /* EAGAIN: something was renamed or mounted during the lookup. */
    do
        fd = sys_openat2(root, path, flags | O_CLOEXEC, 0,
                         RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
    while (fd == -EAGAIN || fd == -EINTR);
    return fd;
}

/*
 * The file may exist in another instance of procfs: it is masked, read-only, or left out by
 * subset=pid.
 */
static bool may_be_masked(int error) {
    return error == -EXDEV || error == -EROFS || error == -ENOENT || error == -ENOTDIR;
}

static bool has_dots(const char *path) {
    for (; path != NULL; path = strchr(path, '/')) {
        path += *path == '/';
        if (starts_with(path, "..") && (path[2] == 0 || path[2] == '/'))
            return true;
    }
    return false;
}

int proc_open(struct context *c, const char *path, uint64_t flags) {
    int fd, private_fd;

    if (*path == 0 || *path == '/' || has_dots(path))
        return -EINVAL;
    fd = open_below(c->procfs, path, flags);
    if (fd >= 0 || !may_be_masked(fd))
        return fd;
    if (c->private_procfs == 0)
        c->private_procfs = open_private();
    private_fd = open_below(c->private_procfs, path, flags);
    /* Without a private instance the error of /proc is the useful one. */
    return private_fd >= 0 ? private_fd : fd;
}

/*
 * The files of a process belong to its effective user. Those of a process that is not dumpable
 * belong to root of the user namespace its memory was made in (task_dump_owner in fs/proc/base.c),
 * which is the engine's. So the init opens its own restricted files (timens_offsets) before it
 * becomes not dumpable, and before it changes its user. It must not become dumpable again, even for
 * one system call: a waiting process could trace it.
 *
 * This does not concern attr/exec and attr/keycreate (mode 0666, of oneself only), fd/ and ns/ (a
 * process may always read its own), and /proc/sys (its permissions follow the namespaces of the
 * opener).
 */
int proc_write(struct context *c, const char *path, const char *data, size_t size) {
    cleanup_close int fd = proc_open(c, path, O_WRONLY);
    long written;

    if (fd < 0)
        return fd;
    written = sys_write(fd, data, size);
    if (written < 0)
        return (int)written;
    return (size_t)written == size ? 0 : -EIO;
}

bool proc_missing(struct context *c, const char *path) {
    cleanup_close int fd = proc_open(c, path, O_PATH);

    return fd == -ENOENT;
}

int proc_open_link(struct context *c, const char *path, const char *name) {
    cleanup_close int directory = proc_open(c, path, O_PATH | O_DIRECTORY);

    if (directory < 0)
        return directory;
    /* The directory is one of procfs, so the link is the kernel's. */
    return sys_openat(directory, name, O_RDONLY | O_CLOEXEC, 0);
}

int run_oom_score_adj(struct context *c, const struct op_oom_score_adj *o) {
    char buffer[NUMBER_SIZE + 1], *text;
    int64_t value = o->value;

    text = format_number(buffer + 1, (uint64_t)(value < 0 ? -value : value));
    if (value < 0)
        *--text = '-';
    return proc_write(c, "self/oom_score_adj", text, strlen(text));
}

int run_sysctl(struct context *c, const struct op_sysctl *o) {
    char path[PATH_MAX] = "sys/";
    int error = append_text(path, sizeof(path), o->path);

    if (error == 0)
        error = proc_write(c, path, o->value, strlen(o->value));
    if (error == -ENOENT)
        return fail(c, error, "this kernel, or this namespace, has no /proc/sys/", o->path);
    if (error < 0)
        return fail(c, error, "write '", o->value, "' to /proc/sys/", o->path,
                    error == -EXDEV ? ", which something is mounted over" : "");
    return 0;
}

void proc_close(struct context *c) {
    if (c->procfs >= 0)
        sys_close(c->procfs);
    if (c->private_procfs > 0)
        sys_close(c->private_procfs);
    c->procfs = -EBADF;
    c->private_procfs = -EBADF;
}
