/*
 * tmpcopyup. The tree comes from the image: its depth and its names are not trusted, and they may
 * change meanwhile. It is walked without recursion, with one level of descriptors for each
 * directory on the way down. Only regular files and directories are opened for reading.
 */
#include "copyup.h"
#include "path.h"

/* Each level has two descriptors: the walk stays far below the usual RLIMIT_NOFILE of 1024. */
#define MAX_DEPTH 128
/* The kernel's limits XATTR_SIZE_MAX and XATTR_LIST_MAX. */
#define MAX_XATTR 65536
/* Most attributes fit here, and then no page of the large buffer is used. */
#define SMALL_XATTR 1024

struct level {
    int from;
    int to;
};

struct copy {
    struct context *c;
    unsigned int keep;
    size_t depth;
    struct level levels[MAX_DEPTH];
};

struct entry {
    uint64_t ino;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

static const uint64_t in_directory = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;

static int failed(struct copy *copy, int error, const char *name) {
    return fail(copy->c, error, "tmpcopyup of ", name);
}

static void times_of(const struct statx *st, struct __kernel_timespec times[2]) {
    times[0].tv_sec = st->stx_atime.tv_sec;
    times[0].tv_nsec = st->stx_atime.tv_nsec;
    times[1].tv_sec = st->stx_mtime.tv_sec;
    times[1].tv_nsec = st->stx_mtime.tv_nsec;
}

/*
 * The filesystem cannot hold the attribute, or the user namespace may not set it: it is left out.
 */
static bool is_refusal(int error) {
    return error == -EOPNOTSUPP || error == -EPERM || error == -ENODATA;
}

static int copy_xattr(int from, int to, const char *name) {
    static char large[MAX_XATTR];
    char small[SMALL_XATTR];
    char *value = small;
    long size = sys_fgetxattr(from, name, small, sizeof(small));

    if (size == -ERANGE) {
        value = large;
        size = sys_fgetxattr(from, name, large, sizeof(large));
    }
    return size < 0 ? (int)size : sys_fsetxattr(to, name, value, (size_t)size, 0);
}

static int copy_xattrs(int from, int to) {
    static char large[MAX_XATTR];
    char small[SMALL_XATTR];
    char *list = small;
    long size = sys_flistxattr(from, small, sizeof(small));

    if (size == -ERANGE) {
        list = large;
        size = sys_flistxattr(from, large, sizeof(large));
    }
    if (size < 0)
        return is_refusal((int)size) ? 0 : (int)size;
    for (long at = 0; at < size; at += (long)strlen(list + at) + 1) {
        int error = copy_xattr(from, to, list + at);

        if (error < 0 && !is_refusal(error))
            return error;
    }
    return 0;
}

/* The owner comes first, since chown(2) removes set-id bits and file capabilities. */
static int copy_metadata(int from, int to, const struct statx *st, unsigned int keep) {
    struct __kernel_timespec times[2];
    int error = sys_fchown(to, (keep & COPY_UP_KEEP_UID) != 0 ? (uint32_t)-1 : st->stx_uid,
                           (keep & COPY_UP_KEEP_GID) != 0 ? (uint32_t)-1 : st->stx_gid);

    if (error == 0 && (keep & COPY_UP_KEEP_MODE) == 0)
        error = sys_fchmod(to, st->stx_mode & 07777);
    if (error == 0)
        error = copy_xattrs(from, to);
    times_of(st, times);
    return error < 0 ? error : sys_utimensat(to, NULL, times, 0);
}

/* Copies one run of data of a sparse file: from *at, up to the next hole. Returns 1 at the end. */
static int copy_extent(int from, int to, int64_t *at) {
    long end, start = sys_lseek(from, *at, SEEK_DATA);

    if (start == -ENXIO)
        return 1;
    if (start < 0)
        return (int)start;
    end = sys_lseek(from, start, SEEK_HOLE);
    if (end < 0)
        return (int)end;
    *at = start;
    if (sys_lseek(to, start, SEEK_SET) < 0)
        return -EIO;
    while (*at < end) {
        long size = sys_sendfile(to, from, at, (size_t)(end - *at));

        if (size < 0)
            return (int)size;
        /* The file was truncated meanwhile: what is left of it is copied. */
        if (size == 0)
            return 1;
    }
    return 0;
}

static int copy_contents(int from, int to, uint64_t size) {
    int64_t at = 0;
    int error = 0;

    while (error == 0 && (uint64_t)at < size)
        error = copy_extent(from, to, &at);
    return error < 0 ? error : sys_ftruncate(to, size);
}

static int copy_file(struct level *l, const char *name, const struct statx *expected) {
    struct statx st;
    /*
     * It was a regular file a moment ago. If it is a FIFO or a terminal now, the flags keep the
     * open from waiting and from acquiring it, and the check after it from reading it.
     */
    cleanup_close int from = sys_openat2(
        l->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, in_directory);
    cleanup_close int to = -1;
    int error;

    if (from < 0)
        return from;
    error = path_identify(from, &st);
    if (error < 0)
        return error;
    if (!path_same(&st, expected))
        return -ESTALE;
    to = sys_openat(l->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return to;
    error = copy_contents(from, to, st.stx_size);
    return error < 0 ? error : copy_metadata(from, to, &st, 0);
}

/* Makes links, FIFOs, sockets and devices again, without opening them. */
static int copy_special(struct level *l, int node, const char *name, const struct statx *st) {
    struct __kernel_timespec times[2];
    char target[PATH_MAX];
    int error;

    if (S_ISLNK(st->stx_mode)) {
        long size = sys_readlinkat(node, "", target, sizeof(target));

        if (size < 0 || size == sizeof(target))
            return size < 0 ? (int)size : -ENAMETOOLONG;
        target[size] = 0;
        error = sys_symlinkat(target, l->to, name);
    } else {
        error = sys_mknodat(l->to, name, st->stx_mode,
                            sys_device_number(st->stx_rdev_major, st->stx_rdev_minor));
    }
    if (error == 0)
        error = sys_fchownat(l->to, name, st->stx_uid, st->stx_gid, AT_SYMLINK_NOFOLLOW);
    times_of(st, times);
    return error < 0 ? error : sys_utimensat(l->to, name, times, AT_SYMLINK_NOFOLLOW);
}

/* Enters the directory `name`, which is made first with `make`. */
static int enter(struct copy *copy, int from, int to, const char *name, bool make) {
    struct level *l = &copy->levels[copy->depth];
    int error;

    if (copy->depth == MAX_DEPTH)
        return fail(copy->c, -ELOOP, "tmpcopyup of directories more than 128 deep");
    if (make) {
        error = sys_mkdirat(to, name, 0700);
        if (error < 0)
            return failed(copy, error, name);
    }
    error = l->from =
        sys_openat2(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, in_directory);
    if (error < 0)
        return failed(copy, error, name);
    error = l->to = sys_openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (error < 0) {
        sys_close(l->from);
        return failed(copy, error, name);
    }
    copy->depth++;
    return 0;
}

static void leave(struct copy *copy) {
    struct level *l = &copy->levels[--copy->depth];

    sys_close(l->from);
    sys_close(l->to);
}

/* Completes a directory after its entries, which change its times. */
static int finish(struct copy *copy) {
    struct level *l = &copy->levels[copy->depth - 1];
    struct statx st;
    int error = path_identify(l->from, &st);

    if (error == 0)
        error = copy_metadata(l->from, l->to, &st, copy->depth == 1 ? copy->keep : 0);
    if (error < 0)
        return failed(copy, error, "a directory");
    leave(copy);
    return 0;
}

/* Copies one entry of the directory at copy->depth; enters it when it is a directory itself. */
static int copy_entry(struct copy *copy, const char *name) {
    struct level *l = &copy->levels[copy->depth - 1];
    cleanup_close int node =
        sys_openat2(l->from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, in_directory);
    struct statx st;
    int error;

    /* A mount point is not part of the image, and an entry may be deleted meanwhile. */
    if (node == -EXDEV || node == -ENOENT)
        return 0;
    if (node < 0)
        return failed(copy, node, name);
    error = path_identify(node, &st);
    if (error < 0)
        failed(copy, error, name);
    else if (S_ISDIR(st.stx_mode))
        error = enter(copy, l->from, l->to, name, true);
    else {
        error = S_ISREG(st.stx_mode) ? copy_file(l, name, &st) : copy_special(l, node, name, &st);
        if (error < 0)
            failed(copy, error, name);
    }
    return error;
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/*
 * Continues to read the current directory, until a directory has been entered or all is read. All
 * levels share one buffer: entries behind an entered directory are read again later.
 */
static int copy_entries(struct copy *copy) {
    char buffer[4096] __attribute__((aligned(8)));
    size_t depth = copy->depth;
    int from = copy->levels[depth - 1].from;
    long size = sys_getdents64(from, buffer, sizeof(buffer));

    if (size == 0)
        return finish(copy);
    if (size < 0)
        return failed(copy, (int)size, "a directory");
    for (long at = 0; at < size;) {
        const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
        int error = is_dots(entry->name) ? 0 : copy_entry(copy, entry->name);

        if (error < 0)
            return error;
        if (copy->depth > depth) {
            long position = sys_lseek(from, entry->next, SEEK_SET);

            return position < 0 ? failed(copy, (int)position, entry->name) : 0;
        }
        at += entry->size;
    }
    return 0;
}

int copy_up(struct context *c, int from, int to, unsigned int keep) {
    static struct copy copy;
    unsigned int mask = sys_umask(0);
    int error;

    copy.c = c;
    copy.keep = keep;
    copy.depth = 0;
    error = enter(&copy, from, to, ".", false);
    while (error == 0 && copy.depth > 0)
        error = copy_entries(&copy);
    while (copy.depth > 0)
        leave(&copy);
    sys_umask(mask);
    return error;
}
