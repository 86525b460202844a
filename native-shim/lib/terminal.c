/* Our own terminal: what the engine's terminal module would do, without its start-up. */
#include "internal.h"

#include <errno.h>
#include <sys/ioctl.h>

static int set_terminal(const struct termios *state) {
    int result;

    do
        result = tcsetattr(STDIN_FILENO, TCSANOW, state);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int make_raw(struct terminal *terminal) {
    struct termios raw;
    int error;

    if (!terminal->raw && tcgetattr(STDIN_FILENO, &terminal->before) < 0)
        return errno == ENOTTY || errno == EIO || errno == EINVAL ? 0 : -errno;
    raw = terminal->before;
    cfmakeraw(&raw);
    /* It must be restored even when only a part of the change succeeds. */
    terminal->raw = true;
    error = set_terminal(&raw);
    return error == -EIO ? 0 : error;
}

bool is_in_background(void) {
    pid_t owner = tcgetpgrp(STDIN_FILENO);

    return owner >= 0 && owner != getpgrp();
}

void restore_terminal(struct terminal *terminal) {
    /* A shell that has stopped us has taken its terminal back and set it for itself. */
    if (!terminal->raw || is_in_background())
        return;
    (void)set_terminal(&terminal->before);
    terminal->raw = false;
}

int tsrun_is_terminal(int fd) {
    return isatty(fd);
}

int tsrun_copy_terminal_size(int master) {
    struct winsize size;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (ioctl(fd, TIOCGWINSZ, &size) == 0)
            return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
    return 0;
}
