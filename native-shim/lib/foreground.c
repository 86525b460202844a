/*
 * A container in the foreground: waits for its first process, hands it the signals tsrun gets, and
 * connects tsrun's own stdio with its pty.
 */
#include "tsrun.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* What a write to a pipe takes without blocking, once poll(2) has said that it is writable
 * (pipe(7)). */
#define CHUNK 4096

/* More than a pty buffers: what is left to read after this much comes from a process that goes on.
 */
#define DRAIN_LIMIT (256 * 1024)

/* Nothing tells a process that it is in the foreground again: until it looks once more. */
#define REST_MS 200

struct buffer {
    unsigned char bytes[CHUNK];
    size_t start;
    size_t end;
};

struct relay {
    int pidfd;
    int pid;
    int signals;
    int master;
    /* Where the container says that it is ready, until it has; and whom to tell. */
    int notify;
    int manager;
    int notified;
    /*
     * Watches the master, edge-triggered: a pty whose last slave is closed is "hung up" until one
     * is opened again, and a level-triggered poll would spin meanwhile.
     */
    int epoll;
    bool master_readable;
    bool master_writable;
    bool stdin_open;
    /* stdin has ended, and the container is yet to be told. */
    bool end_pending;
    bool stdout_open;
    bool at_line_start;
    bool give_up;
    struct buffer in;
    struct buffer out;
    bool raw;
    struct termios cooked;
    /* Without a terminal of the container: its stdio, where ours is a terminal. */
    struct stream streams[3];
    /* Our stdin is not looked at for a while. */
    bool stdin_rests;
};

static bool is_empty(const struct buffer *buffer) {
    return buffer->start == buffer->end;
}

/* Terminal
 * ------------------------------------------------------------------------------------------- */

/* Makes our terminal raw: line editing, echo and ^C are the business of the container's own pty. */
static int make_raw(struct relay *relay) {
    int result;
    if (!relay->raw && tcgetattr(STDIN_FILENO, &relay->cooked) < 0)
        return errno == ENOTTY || errno == EIO || errno == EINVAL ? 0 : -errno;
    struct termios raw = relay->cooked;
    cfmakeraw(&raw);
    /* From here on it must be restored, even when only a part of the change was made. */
    relay->raw = true;
    do {
        result = tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    } while (result < 0 && errno == EINTR);
    return result < 0 && errno != EIO ? -errno : 0;
}

static void restore_terminal(struct relay *relay) {
    if (!relay->raw)
        return;
    /* A shell that has stopped us and taken its terminal back has also set it as it likes it. */
    pid_t owner = tcgetpgrp(STDIN_FILENO);
    if (owner >= 0 && owner != getpgrp())
        return;
    int result;
    do {
        result = tcsetattr(STDIN_FILENO, TCSANOW, &relay->cooked);
    } while (result < 0 && errno == EINTR);
    relay->raw = false;
}

int tsrun_copy_terminal_size(int master) {
    struct winsize size;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (ioctl(fd, TIOCGWINSZ, &size) == 0)
            return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
    }
    return 0;
}

/* A terminal of a wrong size is no reason to stop. */
static void copy_size(const struct relay *relay) {
    (void)tsrun_copy_terminal_size(relay->master);
}

/* Input and output
 * ------------------------------------------------------------------------------------ */

static void read_stdin(struct relay *relay) {
    ssize_t got = read(STDIN_FILENO, relay->in.bytes, sizeof relay->in.bytes);
    if (got > 0) {
        relay->in.start = 0;
        relay->in.end = (size_t)got;
        relay->at_line_start = relay->in.bytes[got - 1] == '\n';
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        relay->stdin_open = false;
        relay->end_pending = true;
    }
}

/*
 * The end of a stdin that is no terminal, told as a terminal tells it: the end-of-file character,
 * twice after an unfinished line. A process that has put its terminal out of line mode reads keys
 * and gets none.
 */
static void queue_end(struct relay *relay) {
    struct termios state;
    relay->end_pending = false;
    if (tcgetattr(relay->master, &state) < 0 || (state.c_lflag & ICANON) == 0)
        return;
    relay->in.start = 0;
    relay->in.end = 0;
    relay->in.bytes[relay->in.end++] = state.c_cc[VEOF];
    if (!relay->at_line_start)
        relay->in.bytes[relay->in.end++] = state.c_cc[VEOF];
}

static void write_master(struct relay *relay) {
    struct buffer *in = &relay->in;
    ssize_t put = write(relay->master, in->bytes + in->start, in->end - in->start);
    if (put > 0)
        in->start += (size_t)put;
    else if (put == 0 || errno == EAGAIN)
        relay->master_writable = false;
    else if (errno != EINTR)
        /* EIO: no slave is open, and what is typed at nobody is lost. */
        in->start = in->end;
}

/* Bytes read; 0: nothing there for now. */
static size_t read_master(struct relay *relay) {
    ssize_t got;
    do {
        got = read(relay->master, relay->out.bytes, sizeof relay->out.bytes);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        /* EAGAIN; or EIO: no slave is open just now. Either way an event tells of the next byte. */
        relay->master_readable = false;
        return 0;
    }
    relay->out.start = 0;
    relay->out.end = (size_t)got;
    return (size_t)got;
}

/* Nobody reads our output any more: to the container that is a terminal which hangs up. */
static void hang_up(struct relay *relay) {
    relay->stdout_open = false;
    relay->stdin_open = false;
    relay->end_pending = false;
    relay->master_readable = false;
    relay->master_writable = false;
    relay->in.start = relay->in.end = 0;
    relay->out.start = relay->out.end = 0;
    close(relay->epoll);
    close(relay->master);
    relay->epoll = -1;
    relay->master = -1;
}

static void write_stdout(struct relay *relay) {
    struct buffer *out = &relay->out;
    ssize_t put = write(STDOUT_FILENO, out->bytes + out->start, out->end - out->start);
    if (put >= 0)
        out->start += (size_t)put;
    else if (errno != EINTR && errno != EAGAIN)
        hang_up(relay);
}

/* Signals
 * --------------------------------------------------------------------------------------------- */

/* Reaps every ended child but the container's first process, whose status is yet to be taken. */
static void reap_orphans(int pid) {
    for (;;) {
        siginfo_t info = {0};
        /* Which one it is must be known before it is gone. */
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        if (info.si_pid == 0 || info.si_pid == pid)
            return;
        (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
    }
}

static void handle_signal(struct relay *relay, int signal, bool ended) {
    switch (signal) {
    case SIGCHLD:
        reap_orphans(relay->pid);
        return;
    case SIGWINCH:
        if (relay->master >= 0)
            copy_size(relay);
        return;
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
        relay->give_up = ended;
        break;
    case SIGCONT:
        /* While we were stopped, a shell has used the terminal in its own way. */
        if (relay->master >= 0 && relay->raw) {
            (void)make_raw(relay);
            copy_size(relay);
        }
        break;
    default:
        break;
    }
    /* ESRCH: it has just ended, which the main loop is about to see. */
    if (!ended)
        (void)tsrun_pidfd_signal(relay->pidfd, signal);
}

static void handle_signals(struct relay *relay, bool ended) {
    unsigned char caught[64];
    ssize_t got;
    while ((got = read(relay->signals, caught, sizeof caught)) > 0) {
        for (ssize_t i = 0; i < got; i++)
            handle_signal(relay, caught[i], ended);
    }
}

/* Readiness
 * ------------------------------------------------------------------------------------------- */

/* To the manager the service is still ours: we stay until it has ended. */
static void forward_ready(struct relay *relay) {
    relay->notified = tsrun_forward_ready(relay->notify, relay->manager, getpid());
    if (relay->notified != 0)
        relay->notify = -1;
}

/* The loop
 * -------------------------------------------------------------------------------------------- */

/* What is typed is for another job while we are in the background: reading would stop us. */
static bool is_in_background(void) {
    pid_t owner = tcgetpgrp(STDIN_FILENO);
    return owner >= 0 && owner != getpgrp();
}

static int open_relay(struct relay *relay) {
    struct epoll_event interest = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int flags = fcntl(relay->master, F_GETFL);
    if (flags < 0 || fcntl(relay->master, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    relay->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (relay->epoll < 0)
        return -errno;
    if (epoll_ctl(relay->epoll, EPOLL_CTL_ADD, relay->master, &interest) < 0)
        return -errno;
    relay->master_readable = true;
    relay->master_writable = true;
    relay->stdin_open = true;
    relay->stdout_open = true;
    relay->at_line_start = true;
    copy_size(relay);
    return make_raw(relay);
}

static void note_master_events(struct relay *relay) {
    struct epoll_event event;
    if (epoll_wait(relay->epoll, &event, 1, 0) != 1)
        return;
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        relay->master_readable = true;
    if ((event.events & EPOLLOUT) != 0)
        relay->master_writable = true;
}

/* Moves what can be moved without waiting between our stdio and the pty. */
static void move_bytes(struct relay *relay, bool stdin_ready, bool stdout_ready) {
    if (stdin_ready)
        read_stdin(relay);
    if (stdout_ready)
        write_stdout(relay);
    if (relay->master < 0)
        return;
    if (relay->end_pending && is_empty(&relay->in))
        queue_end(relay);
    if (relay->master_writable && !is_empty(&relay->in))
        write_master(relay);
    if (relay->master_readable && is_empty(&relay->out))
        (void)read_master(relay);
}

/* Until the child has ended. */
static int relay_until_end(struct relay *relay) {
    for (;;) {
        bool wants_stdin = relay->master >= 0 && relay->stdin_open && is_empty(&relay->in);
        bool has_output = relay->master >= 0 && !is_empty(&relay->out);
        /* What is known to be possible is done before waiting again. */
        bool busy = relay->master >= 0 && ((relay->master_readable && !has_output) ||
                                           (relay->master_writable && !is_empty(&relay->in)));
        struct pollfd entries[] = {
            {.fd = relay->pidfd, .events = POLLIN},
            {.fd = relay->signals, .events = POLLIN},
            {.fd = relay->epoll, .events = POLLIN},
            {.fd = wants_stdin ? STDIN_FILENO : -1, .events = POLLIN},
            {.fd = has_output ? STDOUT_FILENO : -1, .events = POLLOUT},
            {.fd = relay->notify, .events = POLLIN},
            stream_wish(&relay->streams[0]),
            stream_wish(&relay->streams[1]),
            stream_wish(&relay->streams[2]),
        };
        /* No signal tells that a shell has brought it back to the foreground. */
        if (relay->stdin_rests)
            relay->stdin_rests = is_in_background();
        if (relay->stdin_rests)
            entries[6].fd = -1;
        int wait = busy ? 0 : relay->stdin_rests ? REST_MS : -1;
        int ready = poll(entries, sizeof entries / sizeof entries[0], wait);
        if (ready < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if ((entries[0].revents & POLLNVAL) != 0)
            return -EBADF;
        if (entries[1].revents != 0)
            handle_signals(relay, false);
        if (entries[5].revents != 0)
            forward_ready(relay);
        if (entries[0].revents != 0)
            return 0;
        if (entries[2].revents != 0)
            note_master_events(relay);
        move_bytes(relay, entries[3].revents != 0, entries[4].revents != 0);
        if (entries[6].fd == STDIN_FILENO && entries[6].revents != 0 && is_in_background()) {
            relay->stdin_rests = true;
            entries[6].revents = 0;
        }
        for (int i = 0; i < 3; i++)
            if (entries[6 + i].revents != 0)
                stream_move(&relay->streams[i]);
    }
}

/*
 * Writes what the container has left behind in its pty. Reading is complete: the kernel delivers
 * all that was written to the slave before it says that there is nothing more.
 */
static void drain(struct relay *relay) {
    size_t drained = 0;
    while (relay->master >= 0 && !relay->give_up) {
        if (is_empty(&relay->out)) {
            size_t got = drained < DRAIN_LIMIT ? read_master(relay) : 0;
            if (got == 0)
                return;
            drained += got;
        }
        struct pollfd entries[] = {
            {.fd = relay->signals, .events = POLLIN},
            {.fd = STDOUT_FILENO, .events = POLLOUT},
        };
        if (poll(entries, 2, -1) < 0 && errno != EINTR)
            return;
        if (entries[0].revents != 0)
            handle_signals(relay, true);
        else if (entries[1].revents != 0)
            write_stdout(relay);
    }
}

static void wait_for_room(const struct relay *relay, const struct stream *stream) {
    struct pollfd entries[] = {
        {.fd = relay->signals, .events = POLLIN},
        stream_wish(stream),
    };
    /* Whatever ends it, the caller looks again. */
    (void)poll(entries, 2, -1);
}

/* Writes what the container has left behind in its pipes. */
static void drain_streams(struct relay *relay) {
    stream_close(&relay->streams[0]);
    for (int i = 1; i < 3; i++) {
        struct stream *stream = &relay->streams[i];
        while (!relay->give_up && stream_drain(stream)) {
            if (stream->start < stream->end)
                wait_for_room(relay, stream);
            handle_signals(relay, true);
        }
    }
}

static int take_status(int pidfd) {
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return shell_status(&info);
}

/* Takes over our ends of the pipes, even when it fails. */
static int open_streams(struct relay *relay, const int32_t *pipes) {
    int result = stream_open(&relay->streams[0], STDIN_FILENO, pipes[0], pipes[0]);
    for (int i = 1; i < 3; i++) {
        int opened = stream_open(&relay->streams[i], pipes[i], i, pipes[i]);
        if (result == 0)
            result = opened;
    }
    return result;
}

int tsrun_foreground(int pidfd, int pid, int master, int32_t *sockets) {
    struct relay relay = {
        .pidfd = pidfd,
        .pid = pid,
        .signals = -1,
        .master = master,
        .notify = sockets[0],
        .manager = sockets[1],
        .epoll = -1,
    };
    int result = open_streams(&relay, sockets + 2);
    if (result < 0)
        goto out;
    result = tsrun_hold_signals();
    if (result < 0)
        goto out;
    relay.signals = held_signals();
    /* Orphans that ended before SIGCHLD was caught. */
    reap_orphans(pid);
    if (master >= 0) {
        result = open_relay(&relay);
        if (result < 0)
            goto out;
    }
    result = relay_until_end(&relay);
    if (result < 0)
        goto out;
    drain(&relay);
    drain_streams(&relay);
    result = take_status(pidfd);
    reap_orphans(-1);

out:
    sockets[0] = relay.notified;
    restore_terminal(&relay);
    for (int i = 0; i < 3; i++)
        stream_close(&relay.streams[i]);
    if (relay.epoll >= 0)
        close(relay.epoll);
    if (relay.master >= 0)
        close(relay.master);
    int released = tsrun_release_signals();
    return result < 0 ? result : released < 0 ? released : result;
}
