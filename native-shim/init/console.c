/* console: a pseudoterminal of the container's devpts becomes its stdio. */
#include <asm/termios.h>
#include "mount.h"

/* In every devpts the root and ptmx have these inodes; every ptmx has this device number. */
#define DEVPTS_ROOT_INODE 1
#define DEVPTS_PTMX_INODE 2
#define PTMX_MAJOR        5
#define PTMX_MINOR        2

static bool is_devpts(int fd) {
    struct statfs st;

    return sys_fstatfs(fd, &st) == 0 && st.f_type == DEVPTS_SUPER_MAGIC;
}

/*
 * Opens the ptmx of the devpts at /dev/pts. The container decides what is there. So /dev/pts has to
 * be the root of a devpts, and ptmx the kernel's own file, with nothing mounted over it.
 */
static int open_ptmx(struct context *c) {
    cleanup_close int fd = -1;
    cleanup_place struct place pts;
    struct statx st;
    int error = path_open(c, "dev/pts", 0, &pts);

    if (error == 0 && (!is_devpts(pts.fd) || pts.st.stx_ino != DEVPTS_ROOT_INODE))
        error = -ENODEV;
    if (error < 0)
        return fail(c, error, "/dev/pts (a terminal needs a devpts mounted there)");
    fd = sys_openat2(pts.fd, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0,
                     RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
    if (fd < 0)
        return fail(c, fd, "/dev/pts/ptmx");
    error = path_identify(fd, &st);
    if (error == 0 && (!is_devpts(fd) || st.stx_ino != DEVPTS_PTMX_INODE || !S_ISCHR(st.stx_mode) ||
                       st.stx_rdev_major != PTMX_MAJOR || st.stx_rdev_minor != PTMX_MINOR))
        error = -ENODEV;
    return error < 0 ? fail(c, error, "/dev/pts/ptmx (not the one of devpts)") : take_fd(&fd);
}

/* Opens the other side of the pty from the master, since /dev/pts/N may be any file by now. */
static int open_slave(struct context *c, int master) {
    int unlocked = 0;
    int slave, error = sys_ioctl(master, TIOCSPTLCK, (unsigned long)&unlocked);

    if (error < 0)
        return fail(c, error, "unlocking the terminal");
    slave = sys_ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return slave < 0 ? fail(c, slave, "opening the terminal") : slave;
}

static int set_size(struct context *c, int master, const struct op_console *o) {
    struct winsize size = {.ws_row = (unsigned short)o->rows, .ws_col = (unsigned short)o->columns};
    int error;

    if (o->rows == 0 && o->columns == 0)
        return 0;
    if (o->rows > 0xffff || o->columns > 0xffff)
        return fail(c, -ERANGE, "size of the terminal");
    error = sys_ioctl(master, TIOCSWINSZ, (unsigned long)&size);
    return error < 0 ? fail(c, error, "size of the terminal") : 0;
}

/* Binds the terminal to /dev/console by descriptor: on a file, never through a link. */
static int mount_console(struct context *c, int slave) {
    const struct attributes none = {0};
    cleanup_place struct place at;
    cleanup_close int tree = -1;
    int error = path_open(c, "/dev/console", PATH_MAKE_FILE | PATH_NO_FOLLOW, &at);

    if (error < 0)
        return error;
    if (S_ISLNK(at.st.stx_mode) || S_ISDIR(at.st.stx_mode))
        return fail(c, -EEXIST, "/dev/console (in the rootfs, a link or a directory)");
    error = mount_guard(c, &at, false, 0);
    if (error < 0)
        return error;
    tree = mount_clone(c, slave, "", AT_EMPTY_PATH, FAULT_NONE, "the terminal");
    return tree < 0 ? tree : mount_attach(c, tree, &at, &none);
}

/*
 * Sends the terminal's name and its master in one message, as callers of --console-socket expect.
 */
static int send_master(struct context *c, int master) {
    char name[32] = "/dev/pts/";
    char number[NUMBER_SIZE];
    unsigned int index;
    struct descriptor_message control = DESCRIPTOR_MESSAGE(master);
    struct iovec text = {.iov_base = name};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int error, channel = slot_get(c, SLOT_CONSOLE);
    long sent;

    if (channel < 0)
        return channel;
    error = sys_ioctl(master, TIOCGPTN, (unsigned long)&index);
    if (error < 0)
        return fail(c, error, "number of the terminal");
    append_text(name, sizeof(name), format_number(number, index));
    text.iov_len = strlen(name);
    sent = sys_sendmsg(channel, &message, MSG_NOSIGNAL);
    if (sent < 0)
        return fail(c, (int)sent, "console socket");
    slot_close(c, SLOT_CONSOLE);
    return 0;
}

static int become_stdio(struct context *c, int slave) {
    for (int fd = 0; fd < 3; fd++) {
        int error = sys_dup3(slave, fd, 0);

        if (error < 0)
            return fail(c, error, "stdio");
    }
    return 0;
}

int run_controlling_terminal(struct context *c, const struct op_controlling_terminal *o) {
    int error = sys_ioctl(0, TIOCSCTTY, 0);

    (void)o;
    return error < 0 ? fail(c, error, "controlling terminal") : 0;
}

int run_console(struct context *c, const struct op_console *o) {
    cleanup_close int master = open_ptmx(c);
    cleanup_close int slave = -1;
    int error;

    if (master < 0)
        return master;
    slave = open_slave(c, master);
    if (slave < 0)
        return slave;
    error = label_file(c, slave);
    if (error < 0)
        return fail(c, error, "label of the terminal");
    error = set_size(c, master, o);
    if (error == 0 && o->mount != 0)
        error = mount_console(c, slave);
    if (error == 0)
        error = send_master(c, master);
    return error < 0 ? error : become_stdio(c, slave);
}
