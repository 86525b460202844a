/* Limits, user and working directory of the process. Capabilities: capabilities.c. */
#include "init.h"

int run_rlimit(struct context *c, const struct op_rlimit *o) {
    struct rlimit64 limit = {.rlim_cur = o->soft, .rlim_max = o->hard};
    int error = sys_prlimit(0, o->resource, &limit, NULL);

    return error < 0 ? fail(c, error, "setrlimit") : 0;
}

int run_raise_hard_limit(struct context *c, const struct op_raise_hard_limit *o) {
    struct rlimit64 limit;
    int error = sys_prlimit(0, o->resource, NULL, &limit);

    if (error == 0 && limit.rlim_max < o->hard) {
        limit.rlim_max = o->hard;
        error = sys_prlimit(0, o->resource, &limit, NULL);
    }
    return error < 0 ? fail(c, error, "setrlimit") : 0;
}

int run_no_new_privileges(struct context *c, const struct op_no_new_privileges *o) {
    int error = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

    (void)o;
    return error < 0 ? fail(c, error, "PR_SET_NO_NEW_PRIVS") : 0;
}

/* EINVAL of setresuid(2) and the like: the user namespace has no such id. */
static int fail_id(struct context *c, uint32_t fault, int error, const char *what, uint32_t id) {
    char number[NUMBER_SIZE];

    return fail_fault(c, fault, error, what, " ", format_number(number, id),
                      error == -EINVAL ? " is not mapped in the user namespace" : "");
}

/* The kernel does not say which group is not mapped: tries each. */
static int fail_groups(struct context *c, int error, const struct wire_u32s *groups) {
    for (uint32_t i = 0; error == -EINVAL && i < groups->count; i++) {
        uint32_t group = u32s_at(groups, i);

        if (sys_setgroups(1, &group) == -EINVAL)
            return fail_id(c, FAULT_ADDITIONAL_GID, error, "additional gid", group);
    }
    return fail(c, error, "setgroups");
}

/*
 * Whether the user becomes the owner of a descriptor. Yes for terminals and pipes, no for
 * /dev/null. Yes for a regular file that the process writes to, when its owner is root. A file that
 * another user has lent, or that is only read, keeps its owner.
 */
static bool is_given(int fd, const struct stat *st) {
    unsigned char terminal[256];
    int flags;

    if (S_ISFIFO(st->st_mode))
        return true;
    if (S_ISCHR(st->st_mode))
        return sys_ioctl(fd, TCGETS, (unsigned long)terminal) == 0;
    if (!S_ISREG(st->st_mode) || st->st_uid != sys_geteuid())
        return false;
    flags = sys_fcntl(fd, F_GETFL, 0);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* A user other than root must be able to open /dev/stdout again, as many images do. */
static int give_stdio(struct context *c, uint32_t uid) {
    for (int fd = 0; fd <= 2; fd++) {
        struct stat st;
        int error = sys_fstat(fd, &st);

        if (error < 0)
            return fail(c, error, "stdio");
        if (!is_given(fd, &st))
            continue;
        error = sys_fchown(fd, uid, (uint32_t)-1);
        /* The id or the file is of another user namespace, or the mount is read-only. */
        if (error < 0 && error != -EINVAL && error != -EPERM && error != -EROFS)
            return fail(c, error, "owner of stdio");
    }
    return 0;
}

int run_user(struct context *c, const struct op_user *o) {
    int error;

    if (o->uid != 0) {
        error = give_stdio(c, o->uid);
        if (error < 0)
            return error;
    }

    if (o->no_groups == 0) {
        /* The plan has them in the kernel's form: little endian u32s. */
        error = sys_setgroups(o->groups.count, (const uint32_t *)(const void *)o->groups.at);
        if (error < 0)
            return fail_groups(c, error, &o->groups);
    }
    error = sys_setresgid(o->gid, o->gid, o->gid);
    if (error < 0)
        return fail_id(c, FAULT_GID, error, "gid", o->gid);
    /*
     * Leaving uid 0 would empty the permitted set, which `capabilities` needs. execve clears this
     * flag.
     */
    error = sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (error < 0)
        return fail(c, error, "PR_SET_KEEPCAPS");
    error = sys_setresuid(o->uid, o->uid, o->uid);
    if (error < 0)
        return fail_id(c, FAULT_UID, error, "uid", o->uid);
    error = sys_prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    if (error < 0)
        return fail(c, error, "PR_SET_KEEPCAPS");
    /* A change of user has set it to fs.suid_dumpable. */
    error = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (error < 0)
        return fail(c, error, "PR_SET_DUMPABLE");
    sys_umask(o->umask);
    return 0;
}

/*
 * Opens the directory `name` in `parent`, which is made when it is missing. Follows no link like
 * /proc/self/fd/7.
 */
static int make_directory(int parent, const char *name) {
    const uint64_t flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    int error, fd = sys_openat2(parent, name, flags, 0, RESOLVE_NO_MAGICLINKS);

    if (fd != -ENOENT)
        return fd;
    error = sys_mkdirat(parent, name, 0755);
    return error < 0 && error != -EEXIST
               ? error
               : sys_openat2(parent, name, flags, 0, RESOLVE_NO_MAGICLINKS);
}

/*
 * Makes a directory and those above it. The init is in the container's root: ordinary links stay
 * inside. It goes by descriptor, since a path through /proc/self/fd would lead to directories of
 * the host that the init has open.
 */
static int make_directories(const char *path) {
    char part[PATH_MAX];
    int error = copy_text(part, sizeof(part), path);
    cleanup_close int at = error < 0 ? error : make_directory(AT_FDCWD, "/");

    for (char *name = part; at >= 0 && *name != 0;) {
        char *end = strchr(name, '/');
        int next;

        if (end != NULL)
            *end = 0;
        if (*name != 0) {
            next = make_directory(at, name);
            sys_close(at);
            at = next;
        }
        if (end == NULL)
            break;
        name = end + 1;
    }
    return at < 0 ? at : 0;
}

/*
 * Changes the working directory, through no link like /proc/self/fd/7 or /proc/1/root, which lead
 * to a directory that a process has open.
 */
static int enter_directory(const char *path) {
    cleanup_close int fd =
        sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);

    return fd < 0 ? fd : sys_fchdir(fd);
}

int run_working_directory(struct context *c, const struct op_working_directory *o) {
    char path[PATH_MAX];
    long size;
    int error = enter_directory(o->path);

    if (error == -ENOENT && o->create != 0) {
        unsigned int mask = sys_umask(0);

        error = make_directories(o->path);
        sys_umask(mask);
        if (error < 0)
            return fail(c, error, "make ", o->path);
        error = enter_directory(o->path);
    }
    if (error < 0)
        return fail(c, error, o->path);

    /*
     * For a directory outside of the root, getcwd(2) gives "(unreachable)", or ENOENT when it is
     * not mounted.
     */
    size = sys_getcwd(path, sizeof(path));
    /* A path that is too long starts at the root, too. */
    if (size == -ENAMETOOLONG || size == -ERANGE)
        return 0;
    if (size < 0 || path[0] != '/')
        return fail(c, -EPERM, o->path, " leads outside of the container's root");
    return 0;
}
