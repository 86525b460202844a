#include "mount.h"

/* Flags of statfs(2), some of which are not the MS_* of mount(2). */
#define STATFS_NOATIME     0x400
#define STATFS_NODIRATIME  0x800
#define STATFS_RELATIME    0x1000
#define STATFS_NOSYMFOLLOW 0x2000

/* The inode of the root of every procfs. */
#define PROCFS_ROOT_INODE 1

/* The attributes that mount(2) can give a mount, besides those of MOUNT_ATTR__ATIME. */
static const struct {
    uint64_t attribute;
    uint64_t flag;
    uint64_t statfs;
} classic[] = {
    {MOUNT_ATTR_RDONLY, MS_RDONLY, MS_RDONLY},
    {MOUNT_ATTR_NOSUID, MS_NOSUID, MS_NOSUID},
    {MOUNT_ATTR_NODEV, MS_NODEV, MS_NODEV},
    {MOUNT_ATTR_NOEXEC, MS_NOEXEC, MS_NOEXEC},
    {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, STATFS_NODIRATIME},
    {MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW, STATFS_NOSYMFOLLOW},
};

static bool is_classic(uint64_t attributes) {
    attributes &= ~(uint64_t)MOUNT_ATTR__ATIME;
    for (size_t i = 0; i < ARRAY_SIZE(classic); i++)
        attributes &= ~classic[i].attribute;
    return attributes == 0;
}

uint64_t mount_host_propagation;

int mount_clone(struct context *c, int dir, const char *path, unsigned int flags, uint32_t fault,
                const char *what) {
    int tree = sys_open_tree(dir, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    if (tree == -EINVAL)
        return fail_fault(
            c, fault, tree, what,
            (flags & AT_RECURSIVE) != 0
                ? " (unbindable, or in another mount namespace)"
                : " (unbindable, in another mount namespace, or something is mounted below it "
                  "that a user namespace may not uncover: use rbind)");
    return tree < 0 ? fail_fault(c, fault, tree, what) : tree;
}

int mount_idmap(struct context *c, int tree, int user, bool recursive) {
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user};
    int error = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);

    if (error == -EINVAL)
        return fail_fault(
            c, FAULT_IDMAP, error,
            "idmapped mount (the filesystem cannot do it on this kernel, or the mount is "
            "idmapped already)");
    return error < 0 ? fail_fault(c, FAULT_IDMAP, error, "idmapped mount") : 0;
}

int mount_classic(struct context *c, int fd, const char *source, const char *type, uint64_t flags,
                  const char *data) {
    char number[NUMBER_SIZE];
    int error;
    /* mount(2) takes a path. The only one of a descriptor is in /proc/self/fd. */
    cleanup_close int links = proc_open(c, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int here = -1;

    if (links < 0)
        return links;
    here = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (here < 0)
        return here;
    error = sys_fchdir(links);
    if (error < 0)
        return error;
    error = sys_mount(source, format_number(number, (uint64_t)fd), type, flags, data);
    return sys_fchdir(here) < 0 && error == 0 ? -EIO : error;
}

int mount_classic_flags(int fd, uint64_t set, uint64_t clear, uint64_t *flags) {
    struct statfs st;
    uint64_t attributes = 0;
    int error = sys_fstatfs(fd, &st);

    if (error < 0)
        return error;
    if (!is_classic(set | clear))
        return -ENOSYS;
    for (size_t i = 0; i < ARRAY_SIZE(classic); i++)
        if (((uint64_t)st.f_flags & classic[i].statfs) != 0)
            attributes |= classic[i].attribute;
    if ((st.f_flags & STATFS_NOATIME) != 0)
        attributes |= MOUNT_ATTR_NOATIME;
    else if ((st.f_flags & STATFS_RELATIME) == 0)
        attributes |= MOUNT_ATTR_STRICTATIME;
    attributes = (attributes & ~clear) | set;

    *flags = 0;
    for (size_t i = 0; i < ARRAY_SIZE(classic); i++)
        if ((attributes & classic[i].attribute) != 0)
            *flags |= classic[i].flag;
    if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
        *flags |= MS_NOATIME;
    else if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
        *flags |= MS_STRICTATIME;
    else
        *flags |= MS_RELATIME;
    return 0;
}

/*
 * For kernels before 5.12, and before 5.14 for nosymfollow: attached mounts only, and not
 * recursive. mount(2) ignores a flag that it does not know, so the result is checked.
 */
static int change_classic(struct context *c, int fd, uint64_t set, uint64_t clear) {
    uint64_t flags, now;
    int error = mount_classic_flags(fd, set, clear, &flags);

    if (error == 0)
        error = mount_classic(c, fd, NULL, NULL, MS_REMOUNT | MS_BIND | flags, NULL);
    if (error == 0)
        error = mount_classic_flags(fd, 0, 0, &now);
    return error == 0 && (flags & ~now) != 0 ? -ENOSYS : error;
}

static int setattr(int fd, uint64_t set, uint64_t clear, unsigned int flags) {
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

    return set == 0 && clear == 0 ? 0 : sys_mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr);
}

static int setattr_unlocked(int fd, const struct attributes *a) {
    int error = setattr(fd, a->set, a->clear | a->clear_unlocked, 0);

    return error == -EPERM && a->clear_unlocked != 0 ? setattr(fd, a->set, a->clear, 0) : error;
}

static int change_classic_unlocked(struct context *c, int fd, const struct attributes *a) {
    int error = change_classic(c, fd, a->set, a->clear | a->clear_unlocked);

    return error == -EPERM && a->clear_unlocked != 0 ? change_classic(c, fd, a->set, a->clear)
                                                     : error;
}

/* mount_setattr(2) is missing, or does not know nosymfollow, and mount(2) may do. */
static bool too_old(int error, const struct attributes *a) {
    uint64_t bits = a->set | a->clear | a->clear_unlocked;

    if (!is_classic(bits))
        return false;
    return error == -ENOSYS || (error == -EINVAL && (bits & MOUNT_ATTR_NOSYMFOLLOW) != 0);
}

static int explain_change(struct context *c, int error) {
    if (error == -ENOSYS)
        return fail_fault(c, FAULT_ATTRIBUTE, error, "mount options that mount(2) does not know");
    if (error == -EPERM)
        return fail_fault(
            c, FAULT_ATTRIBUTE, error,
            "mount options (in a user namespace those of the source cannot be lifted)");
    if (error == -EINVAL)
        return fail_fault(c, FAULT_ATTRIBUTE, error,
                          "mount options (not a mount point, or not known to this kernel)");
    return fail_fault(c, FAULT_ATTRIBUTE, error, "mount options");
}

static int change_recursive(struct context *c, int fd, const struct attributes *a) {
    int error = setattr(fd, a->recursive_set, a->recursive_clear, AT_RECURSIVE);

    if (error == -ENOSYS)
        return fail_fault(c, FAULT_ATTRIBUTE, error, "recursive mount options");
    return error < 0 ? explain_change(c, error) : 0;
}

int mount_change(struct context *c, int fd, const struct attributes *a) {
    int error = setattr_unlocked(fd, a);

    if (too_old(error, a))
        error = change_classic_unlocked(c, fd, a);
    return error < 0 ? explain_change(c, error) : change_recursive(c, fd, a);
}

/*
 * The path of the destination must lead to the mount now. If it does not, a directory was moved
 * meanwhile, and the container would not have the mount.
 */
static int check_landed(struct context *c, int tree, const struct place *at) {
    cleanup_close int fd = path_reopen(c, at);
    struct statx mounted, found;
    int error;

    if (fd < 0)
        return fd;
    error = path_identify(tree, &mounted);
    if (error == 0)
        error = path_identify(fd, &found);
    return error == 0 && mounted.stx_mnt_id != found.stx_mnt_id ? -ESTALE : error;
}

static bool is_rootfs(struct context *c, const struct place *at) {
    struct statx st;

    return path_identify(c->rootfs, &st) == 0 && path_same(&st, &at->st);
}

int mount_attach(struct context *c, int tree, const struct place *at, const struct attributes *a) {
    bool root = is_rootfs(c, at), late;
    int error = setattr_unlocked(tree, a);

    late = too_old(error, a);
    if (error < 0 && !late)
        return explain_change(c, error);
    error = change_recursive(c, tree, a);
    if (error < 0)
        return error;
    error = sys_move_mount(tree, "", at->fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    if (error < 0)
        return fail_fault(c, FAULT_DESTINATION, error, "destination /", at->path);
    if (root) {
        /* The descriptor of the old rootfs would lead below the new mount. */
        error = sys_fcntl(tree, F_DUPFD_CLOEXEC, c->internal_base);
        if (error < 0)
            return fail_fault(c, FAULT_DESTINATION, error, "destination /");
        sys_close(c->rootfs);
        c->rootfs = error;
        c->rootfs_covered = true;
    } else {
        error = check_landed(c, tree, at);
        if (error < 0)
            return fail_fault(c, FAULT_DESTINATION, error, "destination /", at->path,
                              " (replaced while it was mounted on)");
    }
    if (!late)
        return 0;
    error = change_classic_unlocked(c, tree, a);
    return error < 0 ? explain_change(c, error) : 0;
}

int mount_propagation(struct context *c, int fd, uint64_t flags) {
    uint64_t type = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
    struct mount_attr attr = {.propagation = type};
    int error = sys_mount_setattr(
        fd, "", AT_EMPTY_PATH | ((flags & MS_REC) != 0 ? AT_RECURSIVE : 0), &attr);

    if (error == -ENOSYS)
        error = mount_classic(c, fd, NULL, NULL, type | (flags & MS_REC), NULL);
    if (error == -EINVAL)
        return fail_fault(c, FAULT_PROPAGATION, error, "mount propagation (not a mount point)");
    return error < 0 ? fail_fault(c, FAULT_PROPAGATION, error, "mount propagation") : 0;
}

int mount_propagations(struct context *c, int fd, const struct wire_u32s *list) {
    int error = 0;

    for (uint32_t i = 0; i < list->count && error == 0; i++)
        error = mount_propagation(c, fd, u32s_at(list, i));
    return error;
}

unsigned int mount_clone_flags(uint32_t flags) {
    return ((flags & MOUNT_FLAG_RECURSIVE) != 0 ? AT_RECURSIVE : 0) |
           ((flags & MOUNT_FLAG_SOURCE_NO_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0);
}

unsigned int mount_path_flags(uint32_t flags) {
    return ((flags & MOUNT_FLAG_NO_SYMLINKS) != 0 ? PATH_NO_LINKS : 0) |
           ((flags & MOUNT_FLAG_DESTINATION_NO_FOLLOW) != 0 ? PATH_NO_FOLLOW : 0);
}

static bool is_procfs(int fd) {
    struct statfs st;

    return sys_fstatfs(fd, &st) == 0 && st.f_type == PROC_SUPER_MAGIC;
}

bool mount_is_whole_procfs(int fd) {
    struct statx st;

    return is_procfs(fd) && path_identify(fd, &st) == 0 && st.stx_ino == PROCFS_ROOT_INODE;
}

/* True for the directory that the container will see as its /proc. */
static bool is_proc_directory(struct context *c, const struct place *at) {
    struct place proc;
    bool same = false;

    if (path_open(c, "proc", 0, &proc) == 0)
        same = path_same(&proc.st, &at->st);
    else
        set_detail(c, NULL);
    path_close(&proc);
    return same;
}

int mount_guard(struct context *c, const struct place *at, bool whole_procfs, uint32_t flags) {
    if ((flags & MOUNT_FLAG_ALLOW_PROC) != 0 ||
        (whole_procfs && (!is_procfs(at->fd) || at->st.stx_ino == PROCFS_ROOT_INODE)))
        return 0;
    if (is_procfs(at->fd))
        return fail_fault(c, FAULT_DESTINATION, -EPERM, "destination /", at->path,
                          " (mounting inside /proc is not allowed)");
    if (is_proc_directory(c, at))
        return fail_fault(c, FAULT_DESTINATION, -EPERM, "destination /", at->path,
                          " (only procfs may be mounted on /proc)");
    return 0;
}
