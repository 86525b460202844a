/* What the files of libtsrun share. */
#ifndef TSRUN_INTERNAL_H
#define TSRUN_INTERNAL_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * poll(2) for `events` on one descriptor. 1: ready (or hung up), 0: not within timeout_ms (-1: no
 * limit), -errno. Goes on after signals, of which a JavaScript engine uses many.
 */
int poll_one(int fd, short events, int timeout_ms);

/* Exit status of a siginfo of waitid(2), as a shell shows it: status, or 128 + signal. */
int shell_status(const siginfo_t *info);

/* Where caught signals can be read, one byte each; -1 before hold_signals. Never closed. */
int held_signals(void);

/* stream.c */

/* One direction of stdio: bytes are read from `from` and written to `to`. */
struct stream {
    int from;
    int to;
    /* Which of the two is our end of a pipe, closed at the end of the stream; -1 for none. */
    int ours;
    size_t start;
    size_t end;
    size_t drained;
    unsigned char bytes[4096];
};

/* `ours`, which is `from` or `to`, becomes the stream's; -1: there is no such stream. 0 or -errno.
 */
int stream_open(struct stream *stream, int from, int to, int ours);
void stream_close(struct stream *stream);
/* What to wait for. */
struct pollfd stream_wish(const struct stream *stream);
/* Reads or writes once, when the wish has come true. */
void stream_move(struct stream *stream);
/* The same for what is left when the container has ended; false when nothing is. */
bool stream_drain(struct stream *stream);

#endif
