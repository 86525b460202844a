/*
 * What the files of libtsrun share. Its functions are declared in tsrun.h, which is generated. They
 * return a value >= 0, or -errno; the TypeScript functions of lib/native say what each does.
 */
#ifndef TSRUN_INTERNAL_H
#define TSRUN_INTERNAL_H

#include "tsrun.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* A descriptor that is closed at the end of its block, unless it is -1. */
#define cleanup_close __attribute__((cleanup(close_descriptor)))

static inline void close_descriptor(const int *fd) {
    if (*fd >= 0)
        close(*fd);
}

/* Memory of malloc(3) that is freed at the end of its block. */
#define cleanup_free __attribute__((cleanup(free_memory)))

static inline void free_memory(void *pointer) {
    free(*(void **)pointer);
}

/* The descriptor, which stays open: the caller has it now. */
static inline int take_fd(int *fd) {
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* process.c */

/*
 * poll(2) for `events` on one descriptor. 1: ready or hung up. 0: not within timeout_ms (-1: no
 * limit). Waits again after a signal: JavaScript engines use many.
 */
int poll_one(int fd, short events, int timeout_ms);

/* exit-status.c */

/* Exit status of a siginfo of waitid(2): 0-255, or 128 + signal. */
int shell_status(const siginfo_t *info);

/* signals.c */

/*
 * The descriptor to read caught signals from, one byte each; -1 before tsrun_hold_signals. It is
 * never closed.
 */
int held_signals(void);

/* terminal.c */

/* Our terminal, as it was before it became raw. */
struct terminal {
    bool raw;
    struct termios before;
};

/* Makes our terminal raw; 0 also without a terminal. Line editing, echo and ^C are the pty's. */
int make_raw(struct terminal *terminal);
void restore_terminal(struct terminal *terminal);

/* Another process group has our terminal. */
bool is_in_background(void);

/* stream.c */

/* One direction of stdio: bytes are read from `from` and written to `to`. */
struct stream {
    int from;
    int to;
    /* Our end of the pipe, which is `from` or `to`; -1 once it is closed. */
    int ours;
    size_t start;
    size_t end;
    size_t drained;
    unsigned char bytes[4096];
};

/* Takes `ours` over; -1: there is no such stream. */
int stream_open(struct stream *stream, int from, int to, int ours);
void stream_close(struct stream *stream);
/* What to wait for before stream_move. */
struct pollfd stream_interest(const struct stream *stream);
/* Reads or writes once. */
void stream_move(struct stream *stream);
/* Reads or writes once when the container has ended; false when nothing is left. */
bool stream_drain(struct stream *stream);

#endif
