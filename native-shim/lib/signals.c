/*
 * Catching the signals that are meant for the container. Threads of the engine signal each other,
 * to suspend themselves for garbage collection. A handler can tell the two apart, a mask cannot.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>

/* Signal handlers have no other way to their data. */
static struct {
    bool active;
    /* The pipe is never closed: a handler may still be running in another thread. */
    volatile int write_end;
    int read_end;
    /* The last signal that asks tsrun to end; 0: none came. */
    volatile sig_atomic_t end;
    bool caught[NSIG];
    struct sigaction before[NSIG];
} held = {.write_end = -1, .read_end = -1};

/* Signals that are about tsrun itself, and never forwarded. */
static bool is_our_own(int signal) {
    switch (signal) {
    case SIGKILL: /* cannot be caught */
    case SIGSTOP:
    case SIGCHLD: /* caught for another purpose */
    case SIGWINCH:
    case SIGPIPE: /* our stdout is broken: EPIPE tells */
    case SIGURG:
    case SIGTTIN: /* we used the terminal in the background */
    case SIGTTOU:
    case SIGSEGV: /* our own faults */
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

/* True for a signal that this process sent itself, from another thread or by a timer. */
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
        /* It fails when the pipe is full, which then holds thousands of unread signals. */
        ssize_t ignored = write(held.write_end, &byte, 1);

        (void)ignored;
        if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT)
            held.end = signal;
    } else if ((before->sa_flags & SA_SIGINFO) != 0) {
        before->sa_sigaction(signal, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(signal);
    }
    errno = saved;
}

static int catch_one(int signal) {
    struct sigaction action = {0};
    struct sigaction *before = &held.before[signal];
    bool plain;

    if (sigaction(signal, NULL, before) < 0)
        return -errno;
    plain = (before->sa_flags & SA_SIGINFO) == 0;
    if (signal == SIGPIPE) {
        action.sa_handler = SIG_IGN;
    } else if (plain && before->sa_handler == SIG_IGN && signal != SIGCHLD && signal != SIGWINCH) {
        /* The caller wanted it ignored (nohup). */
        return 0;
    } else {
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        if (plain && before->sa_handler == SIG_DFL) {
            /* No SA_RESTART: a write that blocks must not delay the signal. */
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

int tsrun_held_end(void) {
    return held.end;
}

int tsrun_release_signals(void) {
    unsigned char dropped[256];
    int result = 0;

    for (int signal = 1; signal < NSIG; signal++) {
        if (!held.caught[signal])
            continue;
        if (sigaction(signal, &held.before[signal], NULL) < 0)
            result = -errno;
        held.caught[signal] = false;
    }
    held.active = false;
    held.end = 0;
    while (held.read_end >= 0 && read(held.read_end, dropped, sizeof(dropped)) > 0)
        ;
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
    held.end = 0;
    held.active = true;
    for (int signal = 1; signal < NSIG; signal++) {
        bool watched = signal == SIGCHLD || signal == SIGWINCH || signal == SIGPIPE;
        /* The C library uses those between 31 and SIGRTMIN itself. */
        bool reserved = signal > 31 && (signal < SIGRTMIN || signal > SIGRTMAX);
        int result;

        if (reserved || (is_our_own(signal) && !watched))
            continue;
        result = catch_one(signal);
        if (result < 0) {
            (void)tsrun_release_signals();
            return result;
        }
    }
    return 0;
}
