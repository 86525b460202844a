/*
 * Paths are opened by openat2(2) from the descriptor of the rootfs, with RESOLVE_IN_ROOT and
 * without magic links. One call without symbolic links is enough for nearly every path. When there
 * is a link, or something has to be made, a walk opens part by part, and checks its result by
 * opening the path once more.
 */
#include "path.h"

/* Tries with a path that keeps changing. */
#define MAX_TRIES 64
/* As many links as the kernel follows (MAXSYMLINKS). */
#define MAX_LINKS 40
#define MAKE_ANY  (PATH_MAKE_DIRECTORY | PATH_MAKE_FILE)

struct walk {
    struct context *c;
    unsigned int flags;
    unsigned int links;
    struct place *place;
    /* The rest of the path, and the link that was read last. */
    char rest[2 * PATH_MAX];
    char link[PATH_MAX];
};

int path_identify(int fd, struct statx *st) {
    int error = sys_statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
                          STATX_BASIC_STATS | STATX_MNT_ID, st);

    if (error < 0)
        return error;
    return (st->stx_mask & STATX_MNT_ID) != 0 ? 0 : -ENOSYS;
}

bool path_same(const struct statx *a, const struct statx *b) {
    return a->stx_mnt_id == b->stx_mnt_id && a->stx_ino == b->stx_ino &&
           a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

void path_close(struct place *place) {
    if (place->fd >= 0)
        sys_close(place->fd);
    place->fd = -1;
}

/* EAGAIN: a file was renamed while openat2(2) checked a "..". */
static int open_in_root(struct context *c, const char *path, uint64_t flags, uint64_t resolve) {
    int fd = -EAGAIN;

    if (c->rootfs < 0)
        return -EBADF;
    for (int i = 0; i < MAX_TRIES && fd == -EAGAIN; i++)
        fd = sys_openat2(c->rootfs, *path == 0 ? "." : path, flags | O_PATH | O_CLOEXEC, 0,
                         resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    return fd;
}

int path_reopen(struct context *c, const struct place *place) {
    return open_in_root(c, place->path, O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
}

/* Moves *path to its first part, and returns that part's length; 0 at the end. */
static size_t next_part(const char **path) {
    size_t size = 0;

    while (**path == '/')
        (*path)++;
    while ((*path)[size] != 0 && (*path)[size] != '/')
        size++;
    return size;
}

static bool is_dots(const char *part, size_t size, size_t dots) {
    return size == dots && part[0] == '.' && part[dots - 1] == '.';
}

/* Adds a part to a path without links. */
static int push_part(char path[PATH_MAX], const char *part, size_t size) {
    size_t used = strlen(path);

    if (size > NAME_MAX || used + 1 + size >= PATH_MAX)
        return -ENAMETOOLONG;
    if (used > 0)
        path[used++] = '/';
    memcpy(path + used, part, size);
    path[used + size] = 0;
    return 0;
}

static void pop_part(char path[PATH_MAX]) {
    char *slash = strrchr(path, '/');

    *(slash == NULL ? path : slash) = 0;
}

/* Brings `path` into the form of place.path. *dots: it has "..", so only a walk can resolve it. */
static int tidy(const char *path, char to[PATH_MAX], bool *dots) {
    size_t size;
    int error = 0;

    to[0] = 0;
    *dots = false;
    for (; error == 0 && (size = next_part(&path)) > 0; path += size) {
        if (is_dots(path, size, 2))
            *dots = true;
        if (!is_dots(path, size, 1))
            error = push_part(to, path, size);
    }
    return error;
}

static int make_part(struct walk *w, const char *name, bool last) {
    int fd;

    if (!last || (w->flags & PATH_MAKE_FILE) == 0)
        return sys_mkdirat(w->place->fd, name, 0755);
    fd = sys_openat(w->place->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return fd;
    sys_close(fd);
    return 0;
}

/*
 * Opens one part, which has no slash and is not "..", so it cannot lead out. A symbolic link is
 * opened itself. Makes the part first if it is missing and may be made.
 */
static int open_part(struct walk *w, const char *name, bool last) {
    for (int i = 0; i < MAX_TRIES; i++) {
        int error;
        int fd = sys_openat2(w->place->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
                             RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);

        if (fd != -ENOENT || (w->flags & MAKE_ANY) == 0)
            return fd;
        error = make_part(w, name, last);
        if (error < 0 && error != -EEXIST)
            return error;
        if (error == 0 && last)
            w->place->made = true;
    }
    return -EAGAIN;
}

/* Continues at the directory that place.path names; -EAGAIN when it is not there any more. */
static int restart_at(struct walk *w) {
    int fd = open_in_root(w->c, w->place->path, O_DIRECTORY, RESOLVE_NO_SYMLINKS);

    if (fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR)
        return -EAGAIN;
    if (fd < 0)
        return fd;
    path_close(w->place);
    w->place->fd = fd;
    return 0;
}

/*
 * Puts the target of the link `fd` before the rest of the path. An absolute target starts at the
 * rootfs.
 */
static int follow(struct walk *w, int fd, const char *left) {
    long size = sys_readlinkat(fd, "", w->link, sizeof(w->link));
    size_t left_size = strlen(left);

    if (size < 0)
        return (int)size;
    if (size == 0)
        return -ENOENT;
    if (++w->links > MAX_LINKS)
        return -ELOOP;
    if (size == sizeof(w->link) || (size_t)size + 1 + left_size + 1 > sizeof(w->rest))
        return -ENAMETOOLONG;
    memmove(w->rest + size + 1, left, left_size + 1);
    w->rest[size] = '/';
    memcpy(w->rest, w->link, (size_t)size);
    if (w->rest[0] != '/')
        return 0;
    w->place->path[0] = 0;
    return restart_at(w);
}

/*
 * True for links of procfs like /proc/1/root, whose text is not their target. openat2(2) refuses
 * them with RESOLVE_NO_MAGICLINKS.
 */
static bool is_magic_link(int directory, const char *name, int link) {
    cleanup_close int fd = -1;
    struct statfs fs;

    if (sys_fstatfs(link, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
        return false;
    fd = sys_openat2(directory, name, O_PATH | O_CLOEXEC, 0,
                     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    return fd == -ELOOP;
}

/* Walks one part of w->rest. Sets *left to the rest after it. */
static int walk_part(struct walk *w, const char *part, size_t size, const char **left) {
    char name[NAME_MAX + 1];
    const char *after = part + size;
    bool last = next_part(&after) == 0;
    cleanup_close int fd = -1;
    struct statx st;
    int error;

    *left = after;
    if (size > NAME_MAX)
        return -ENAMETOOLONG;
    if (is_dots(part, size, 2)) {
        pop_part(w->place->path);
        return restart_at(w);
    }
    memcpy(name, part, size);
    name[size] = 0;
    /* "." is opened, too, so that a file before it is an error. */
    fd = open_part(w, name, last);
    if (fd < 0)
        return fd;
    error = path_identify(fd, &st);
    if (error < 0)
        return error;
    if (S_ISLNK(st.stx_mode) && !(last && (w->flags & PATH_NO_FOLLOW) != 0)) {
        if ((w->flags & PATH_NO_LINKS) != 0 || is_magic_link(w->place->fd, name, fd))
            error = -ELOOP;
        else
            error = follow(w, fd, after);
        *left = w->rest;
        return error;
    }
    if (!is_dots(part, size, 1))
        error = push_part(w->place->path, part, size);
    if (error == 0) {
        path_close(w->place);
        w->place->fd = take_fd(&fd);
    }
    return error;
}

/* The kernel must find the same file at the path of the walk; otherwise it was moved meanwhile. */
static int check(struct walk *w) {
    cleanup_close int fd = path_reopen(w->c, w->place);
    struct statx st;
    int error;

    if (fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR)
        return -EAGAIN;
    if (fd < 0)
        return fd;
    error = path_identify(fd, &st);
    if (error == 0)
        error = path_identify(w->place->fd, &w->place->st);
    return error == 0 && !path_same(&st, &w->place->st) ? -EAGAIN : error;
}

static int walk_once(struct walk *w, const char *path) {
    const char *at = w->rest;
    size_t size;
    int error;

    w->links = 0;
    w->place->path[0] = 0;
    error = copy_text(w->rest, sizeof(w->rest), path);
    if (error == 0)
        error = restart_at(w);
    while (error == 0 && (size = next_part(&at)) > 0)
        error = walk_part(w, at, size, &at);
    return error == 0 ? check(w) : error;
}

/* A function of its own, since path_open seldom needs its large stack frame. */
static __attribute__((noinline)) int walk(struct context *c, const char *path, unsigned int flags,
                                          struct place *place) {
    struct walk w = {.c = c, .flags = flags, .place = place};
    /* The caller's umask must not change the modes. */
    unsigned int mask = sys_umask(0);
    int error = -EAGAIN;

    for (int i = 0; i < MAX_TRIES && error == -EAGAIN; i++)
        error = walk_once(&w, path);
    sys_umask(mask);
    if (error == 0)
        return 0;
    path_close(place);
    if (error == -EAGAIN)
        return fail_fault(c, FAULT_DESTINATION, error, path, " (it keeps changing)");
    if (error == -ELOOP && (flags & PATH_NO_LINKS) != 0)
        return fail_fault(c, FAULT_DESTINATION, error, path,
                          " (must be a directory without symbolic links on the way; /", place->path,
                          " holds one)");
    return fail_fault(c, FAULT_DESTINATION, error, path, " (below /", place->path,
                      " of the rootfs)");
}

int path_open(struct context *c, const char *path, unsigned int flags, struct place *place) {
    bool dots;
    int error;

    place->fd = -1;
    place->made = false;
    error = tidy(path, place->path, &dots);
    if (error < 0)
        return fail_fault(c, FAULT_DESTINATION, error, path);
    if (!dots) {
        place->fd = open_in_root(c, place->path, (flags & PATH_NO_FOLLOW) != 0 ? O_NOFOLLOW : 0,
                                 RESOLVE_NO_SYMLINKS);
        if (place->fd >= 0) {
            error = path_identify(place->fd, &place->st);
            if (error == 0)
                return 0;
            path_close(place);
            return fail_fault(c, FAULT_DESTINATION, error, path);
        }
        error = place->fd;
        place->fd = -1;
        if (error != -ELOOP && (error != -ENOENT || (flags & MAKE_ANY) == 0))
            return fail_fault(c, FAULT_DESTINATION, error, path);
    }
    return walk(c, path, flags, place);
}

int path_open_parent(struct context *c, const char *path, struct place *parent,
                     char name[NAME_MAX + 1]) {
    char directory[PATH_MAX];
    size_t end = strlen(path), start;

    parent->fd = -1;
    while (end > 0 && path[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (end == start || is_dots(path + start, end - start, 1) ||
        is_dots(path + start, end - start, 2))
        return fail_fault(c, FAULT_DESTINATION, -EINVAL, path, " (names no file)");
    if (end - start > NAME_MAX || start >= sizeof(directory))
        return fail_fault(c, FAULT_DESTINATION, -ENAMETOOLONG, path);
    memcpy(name, path + start, end - start);
    name[end - start] = 0;
    memcpy(directory, path, start);
    directory[start] = 0;
    return path_open(c, directory, PATH_MAKE_DIRECTORY, parent);
}
