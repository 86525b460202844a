/* What the files of libtsrun share. */
#ifndef TSRUN_INTERNAL_H
#define TSRUN_INTERNAL_H

#include <signal.h>

/*
 * poll(2) for `events` on one descriptor. 1: ready (or hung up), 0: not within timeout_ms (-1: no
 * limit), -errno. Goes on after signals, of which a JavaScript engine uses many.
 */
int poll_one(int fd, short events, int timeout_ms);

/* Exit status of a siginfo of waitid(2), as a shell shows it: status, or 128 + signal. */
int shell_status(const siginfo_t *info);

/* Where caught signals can be read, one byte each; -1 before hold_signals. Never closed. */
int held_signals(void);

#endif
