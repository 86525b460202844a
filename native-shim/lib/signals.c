/*
 * Catching the signals that are meant for the container. The engine has threads of its own that
 * signal each other (garbage collection suspends them so), hence handlers that tell the two apart,
 * rather than a mask.
 */
#include "tsrun.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

/* Handlers have no other way to their data: the one place where this library keeps state. */
static struct {
    bool active;
    /* Write and read end of the pipe, made once and kept: a handler may still be running somewhere.
     */
    volatile int write_end;
    int read_end;
    bool caught[NSIG];
    struct sigaction before[NSIG];
} held = {.write_end = -1, .read_end = -1};

/* What is never handed over, because it is about tsrun itself. */
static bool is_our_own(int signal) {
    switch (signal) {
    case SIGKILL: /* cannot be caught */
    case SIGSTOP:
    case SIGCHLD: /* watched separately */
    case SIGWINCH:
    case SIGPIPE: /* a broken stdout of ours, seen as EPIPE */
    case SIGURG:
    case SIGTTIN: /* we are in the background and use the terminal */
    case SIGTTOU:
    case SIGSEGV: /* faults of ours */
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
        return true;
    default:
        return false;
    }
}

/* True for a signal this process made for itself: one thread to another, or a timer. */
static bool is_internal(const siginfo_t *info) {
    switch (info->si_code) {
    case SI_TKILL:
        return info->si_pid == getpid();
    case SI_TIMER:
    case SI_ASYNCIO:
    case SI_MESGQ:
        return true;
    default:
        return false;
    }
}

static void on_signal(int signal, siginfo_t *info, void *context) {
    const int saved = errno;
    const struct sigaction *before = &held.before[signal];
    if (!is_internal(info)) {
        const unsigned char byte = (unsigned char)signal;
        /* A full pipe holds thousands of signals nobody has looked at yet: one more says nothing
         * new. */
        ssize_t ignored = write(held.write_end, &byte, 1);
        (void)ignored;
    } else if ((before->sa_flags & SA_SIGINFO) != 0) {
        before->sa_sigaction(signal, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(signal);
    }
    errno = saved;
}

static int catch_one(int signal) {
    struct sigaction action = {0};
    if (sigaction(signal, NULL, &held.before[signal]) < 0)
        return -errno;
    const struct sigaction *before = &held.before[signal];
    bool plain = (before->sa_flags & SA_SIGINFO) == 0;
    if (signal == SIGPIPE) {
        action.sa_handler = SIG_IGN;
    } else if (plain && before->sa_handler == SIG_IGN && signal != SIGCHLD && signal != SIGWINCH) {
        /* Whoever started tsrun wanted it ignored (nohup): so it stays. */
        return 0;
    } else {
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        if (plain && before->sa_handler == SIG_DFL) {
            /* No SA_RESTART: a write to a stuck stdout must not hold up the signal. */
            sigfillset(&action.sa_mask);
        } else {
            action.sa_flags |= before->sa_flags & (SA_RESTART | SA_NODEFER);
            action.sa_mask = before->sa_mask;
        }
    }
    if (sigaction(signal, &action, NULL) < 0)
        return -errno;
    held.caught[signal] = true;
    return 0;
}

int held_signals(void) {
    return held.read_end;
}

int tsrun_release_signals(void) {
    int result = 0;
    for (int signal = 1; signal < NSIG; signal++) {
        if (!held.caught[signal])
            continue;
        if (sigaction(signal, &held.before[signal], NULL) < 0)
            result = -errno;
        held.caught[signal] = false;
    }
    held.active = false;
    unsigned char forgotten[256];
    if (held.read_end >= 0) {
        while (read(held.read_end, forgotten, sizeof forgotten) > 0)
            ;
    }
    return result;
}

int tsrun_hold_signals(void) {
    if (held.active)
        return 0;
    if (held.read_end < 0) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
            return -errno;
        held.read_end = ends[0];
        held.write_end = ends[1];
    }
    held.active = true;
    for (int signal = 1; signal < NSIG; signal++) {
        bool watched = signal == SIGCHLD || signal == SIGWINCH || signal == SIGPIPE;
        /* Between 31 and SIGRTMIN are those the C library keeps for itself. */
        bool reserved = signal > 31 && (signal < SIGRTMIN || signal > SIGRTMAX);
        if (reserved || (is_our_own(signal) && !watched))
            continue;
        int result = catch_one(signal);
        if (result < 0) {
            (void)tsrun_release_signals();
            return result;
        }
    }
    return 0;
}
