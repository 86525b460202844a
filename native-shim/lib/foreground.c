/*
 * A container in the foreground: waits for its first process, forwards the signals that tsrun gets,
 * and connects tsrun's own stdio with the container's pty or pipes.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/wait.h>

/* PIPE_BUF: a write of this size to a pipe that poll(2) calls writable does not block. */
#define CHUNK 4096

/* More than a pty buffers: a process that still runs writes what comes after this much. */
#define DRAIN_LIMIT (256 * 1024)

/* How often a process in the background looks whether it is in the foreground again. */
#define BACKGROUND_MS 200

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
    /* The socket on which the container says READY=1, or -1 once it has; the manager's socket. */
    int notify;
    int manager;
    /* What tsrun_forward_ready has returned. */
    int notified;
    /*
     * Watches the master, edge-triggered: a pty without an open slave is hung up, and a
     * level-triggered poll would not wait.
     */
    int epoll;
    bool master_readable;
    bool master_writable;
    bool stdin_open;
    /* stdin has ended, and the container must still be told. */
    bool end_pending;
    bool stdout_open;
    bool at_line_start;
    /* A signal has asked us to end without the rest of the output. */
    bool give_up;
    struct buffer in;
    struct buffer out;
    struct terminal terminal;
    /* Without a pty: the pipes that are the container's stdio. */
    struct stream streams[3];
    /* We are in the background: reading our stdin would stop us. */
    bool stdin_rests;
};

static bool is_empty(const struct buffer *buffer) {
    return buffer->start == buffer->end;
}

/* A terminal of a wrong size is no reason to stop. */
static void copy_size(const struct relay *relay) {
    (void)tsrun_copy_terminal_size(relay->master);
}

/* Input and output. */

static void read_stdin(struct relay *relay) {
    ssize_t got = read(STDIN_FILENO, relay->in.bytes, sizeof(relay->in.bytes));

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
 * Our stdin, which is no terminal, has ended: types the end-of-file character, twice after an
 * unfinished line. Not in raw mode, where that character has no meaning.
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
        /* EIO: no slave is open, and the input is lost. */
        in->start = in->end;
}

/* Bytes read; 0: there is nothing to read now. */
static size_t read_master(struct relay *relay) {
    ssize_t got;

    do
        got = read(relay->master, relay->out.bytes, sizeof(relay->out.bytes));
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        /* EAGAIN, or EIO when no slave is open. epoll tells when there is a byte. */
        relay->master_readable = false;
        return 0;
    }
    relay->out.start = 0;
    relay->out.end = (size_t)got;
    return (size_t)got;
}

/* Nobody reads our output any more: hangs up the container's terminal. */
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

/* Signals. */

/* Reaps every ended child but `pid`, the container's first process: take_status does that. */
static void reap_orphans(int pid) {
    for (;;) {
        siginfo_t info = {0};

        /* WNOWAIT: looks which child has ended, without reaping it. */
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
        /* While we were stopped, a shell has set the terminal for itself. */
        if (relay->master >= 0 && relay->terminal.raw) {
            (void)make_raw(&relay->terminal);
            copy_size(relay);
        }
        break;
    default:
        break;
    }
    /* ESRCH: it has just ended, and the loop will see that. */
    if (!ended)
        (void)tsrun_pidfd_signal(relay->pidfd, signal);
}

static void handle_signals(struct relay *relay, bool ended) {
    unsigned char caught[64];
    ssize_t got;

    while ((got = read(relay->signals, caught, sizeof(caught))) > 0)
        for (ssize_t i = 0; i < got; i++)
            handle_signal(relay, caught[i], ended);
}

/* The manager watches tsrun, which stays until the container has ended. */
static void forward_ready(struct relay *relay) {
    relay->notified = tsrun_forward_ready(relay->notify, relay->manager, getpid());
    if (relay->notified != 0)
        relay->notify = -1;
}

/* The loop. */

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
    return make_raw(&relay->terminal);
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

/* Returns 0 when the child has ended. */
static int relay_until_end(struct relay *relay) {
    for (;;) {
        bool wants_stdin = relay->master >= 0 && relay->stdin_open && is_empty(&relay->in);
        bool has_output = relay->master >= 0 && !is_empty(&relay->out);
        /* Something can be moved at once. */
        bool busy = relay->master >= 0 && ((relay->master_readable && !has_output) ||
                                           (relay->master_writable && !is_empty(&relay->in)));
        struct pollfd entries[] = {
            {.fd = relay->pidfd, .events = POLLIN},
            {.fd = relay->signals, .events = POLLIN},
            {.fd = relay->epoll, .events = POLLIN},
            {.fd = wants_stdin ? STDIN_FILENO : -1, .events = POLLIN},
            {.fd = has_output ? STDOUT_FILENO : -1, .events = POLLOUT},
            {.fd = relay->notify, .events = POLLIN},
            stream_interest(&relay->streams[0]),
            stream_interest(&relay->streams[1]),
            stream_interest(&relay->streams[2]),
        };
        int wait;

        /* No signal tells that a shell has put us into the foreground again. */
        if (relay->stdin_rests)
            relay->stdin_rests = is_in_background();
        if (relay->stdin_rests)
            entries[6].fd = -1;
        wait = busy ? 0 : relay->stdin_rests ? BACKGROUND_MS : -1;
        if (poll(entries, sizeof(entries) / sizeof(entries[0]), wait) < 0) {
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
 * Writes what the container has left in its pty. The kernel delivers everything that was written to
 * the slave before it says that there is nothing more.
 */
static void drain(struct relay *relay) {
    size_t drained = 0;

    while (relay->master >= 0 && !relay->give_up) {
        struct pollfd entries[] = {
            {.fd = relay->signals, .events = POLLIN},
            {.fd = STDOUT_FILENO, .events = POLLOUT},
        };

        if (is_empty(&relay->out)) {
            size_t got = drained < DRAIN_LIMIT ? read_master(relay) : 0;

            if (got == 0)
                return;
            drained += got;
        }
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
        stream_interest(stream),
    };

    /* The caller checks both again, also after an error. */
    (void)poll(entries, 2, -1);
}

/* Writes what the container has left in its pipes. */
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

    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
        if (errno != EINTR)
            return -errno;
    return shell_status(&info);
}

/* Takes the pipes over, even when it fails. */
static int open_streams(struct relay *relay, const int32_t *pipes) {
    int result = stream_open(&relay->streams[0], STDIN_FILENO, pipes[0], pipes[0]);

    for (int i = 1; i < 3; i++) {
        int opened = stream_open(&relay->streams[i], pipes[i], i, pipes[i]);

        if (result == 0)
            result = opened;
    }
    return result;
}

/* Everything up to the status of the child; tsrun_foreground cleans up. */
static int run(struct relay *relay, const int32_t *pipes) {
    int result = open_streams(relay, pipes);

    if (result == 0)
        result = tsrun_hold_signals();
    if (result < 0)
        return result;
    relay->signals = held_signals();
    /* Orphans that ended before SIGCHLD was caught. */
    reap_orphans(relay->pid);
    if (relay->master >= 0)
        result = open_relay(relay);
    if (result == 0)
        result = relay_until_end(relay);
    if (result < 0)
        return result;
    drain(relay);
    drain_streams(relay);
    result = take_status(relay->pidfd);
    reap_orphans(-1);
    return result;
}

/*
 * Returns the exit status of the child. Takes over `master` (-1: none). `fds`: the two sockets of
 * tsrun_forward_ready (-1: none), then our ends of the pipes that are the child's stdin, stdout and
 * stderr (-1: none), which it takes over, too. In the place of the first socket comes what
 * tsrun_forward_ready has returned.
 */
int tsrun_foreground(int pidfd, int pid, int master, int32_t *fds) {
    struct relay relay = {
        .pidfd = pidfd,
        .pid = pid,
        .signals = -1,
        .master = master,
        .notify = fds[0],
        .manager = fds[1],
        .epoll = -1,
    };
    int released, result = run(&relay, fds + 2);

    fds[0] = relay.notified;
    restore_terminal(&relay.terminal);
    for (int i = 0; i < 3; i++)
        stream_close(&relay.streams[i]);
    close_descriptor(&relay.epoll);
    close_descriptor(&relay.master);
    released = tsrun_release_signals();
    return result < 0 || released == 0 ? result : released;
}
