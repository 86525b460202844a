/*
 * HOME, from the container's own /etc/passwd (passwd(5)). Name services of the C library would run
 * code of the image.
 */
#include "init.h"

/* More than any passwd has; the image decides its size. */
#define MAX_PASSWD (8 * 1024 * 1024)

struct line {
    size_t size;
    /* The line is longer than `text`, and skipped. */
    bool too_long;
    char text[PATH_MAX];
};

/* Field `index` of a line, ended by a NUL instead of its colon; NULL when there is none. */
static char *cut_field(char *line, int index) {
    for (int i = 0;; i++) {
        char *colon = strchr(line, ':');

        if (i == index) {
            if (colon != NULL)
                *colon = 0;
            return line;
        }
        if (colon == NULL)
            return NULL;
        line = colon + 1;
    }
}

/*
 * Parses name:password:uid:gid:gecos:home:shell. Returns true for the line of `uid`, and sets
 * c->home if it has one.
 */
static bool take_line(struct context *c, struct line *line, uint32_t uid) {
    char *id, *home;
    uint64_t number;

    line->text[line->size] = 0;
    /* The last field first: cutting one hides those behind it. */
    home = cut_field(line->text, 5);
    id = home == NULL ? NULL : cut_field(line->text, 2);
    if (id == NULL || !parse_number(id, UINT32_MAX, &number) || number != uid)
        return false;
    if (*home != 0) {
        copy_text(c->home, sizeof(c->home), "HOME=");
        if (append_text(c->home, sizeof(c->home), home) < 0)
            c->home[0] = 0;
    }
    return true;
}

static void search(struct context *c, int fd, uint32_t uid) {
    char buffer[4096];
    struct line line = {.size = 0};
    size_t total = 0;
    long size;

    while (total < MAX_PASSWD && (size = sys_read(fd, buffer, sizeof(buffer))) > 0) {
        total += (size_t)size;
        for (long i = 0; i < size; i++) {
            if (buffer[i] == '\n') {
                if (!line.too_long && take_line(c, &line, uid))
                    return;
                line.size = 0;
                line.too_long = false;
            } else if (line.size == sizeof(line.text) - 1) {
                line.too_long = true;
            } else {
                line.text[line.size++] = buffer[i];
            }
        }
    }
    if (!line.too_long)
        take_line(c, &line, uid);
}

/*
 * Opens /etc/passwd if it is a regular file: the image must not make us open a FIFO or a device. No
 * link like /proc/self/fd/5/1/root/etc/shadow is followed: the image would read a file of the host
 * through a descriptor of the init.
 */
static int open_passwd(void) {
    struct stat st;
    int error,
        fd = sys_openat2(AT_FDCWD, "/etc/passwd", O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);

    if (fd < 0)
        return fd;
    error = sys_fstat(fd, &st);
    sys_close(fd);
    if (error < 0 || !S_ISREG(st.st_mode))
        return error < 0 ? error : -EINVAL;
    fd = sys_openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0,
                     RESOLVE_NO_MAGICLINKS);
    if (fd < 0)
        return fd;
    error = sys_fstat(fd, &st);
    if (error == 0 && S_ISREG(st.st_mode))
        return fd;
    sys_close(fd);
    return error < 0 ? error : -EINVAL;
}

int run_home(struct context *c, const struct op_home *o) {
    cleanup_close int fd = open_passwd();

    c->home[0] = 0;
    if (fd >= 0)
        search(c, fd, o->uid);
    if (c->home[0] == 0)
        return copy_text(c->home, sizeof(c->home), "HOME=/");
    return 0;
}
