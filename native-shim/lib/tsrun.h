/*
 * libtsrun.so: what the engine cannot do from JavaScript. Every function returns a value >= 0, or
 * -errno, and is called through lib/native, where each is described. Descriptors they return are
 * close-on-exec.
 */
#ifndef TSRUN_H
#define TSRUN_H

#include <stdint.h>

#define TSRUN_API __attribute__((visibility("default")))

/* spawn.c */

/* Head of a spawn request; the descriptors follow it. */
struct tsrun_spawn_head {
    int32_t executable; /* descriptor, or -1: the path in the strings */
    int32_t nofile;     /* soft RLIMIT_NOFILE of the child, or -1 */
    uint32_t core_low;  /* soft RLIMIT_CORE, with TSRUN_SPAWN_RESTORE_CORE */
    uint32_t core_high;
    uint32_t flags;
    uint32_t argc;
    uint32_t envc;
    uint32_t nfds;
    int32_t fds[];
};

#define TSRUN_SPAWN_SETSID 1u
/* The child is killed when we end. */
#define TSRUN_SPAWN_DIE_WITH_PARENT 2u
#define TSRUN_SPAWN_RESTORE_CORE    4u

/* Steps of spawn, to tell which one failed. */
enum {
    TSRUN_STEP_START = 0,
    TSRUN_STEP_EXEC = 1,
    TSRUN_STEP_FDS = 2,
    TSRUN_STEP_LIMITS = 3,
    TSRUN_STEP_CWD = 4,
    TSRUN_STEP_SETSID = 5,
};

/*
 * `strings`: path, cwd, args and env, each ended by a NUL; an empty path or cwd is none. `out`:
 * pid, pidfd, step that failed.
 */
TSRUN_API int tsrun_spawn(const void *request, unsigned int request_words, const void *strings,
                          unsigned int strings_size, int32_t *out);

/* bpf.c */

/*
 * Loads a device program of `size` bytes and attaches it to the cgroup v2 directory, in the place
 * of what this function has attached there before. 0 or -errno; `log` then has what the verifier
 * said, if anything.
 */
TSRUN_API int tsrun_device_filter(const char *cgroup, const void *program, unsigned int size,
                                  void *log, unsigned int log_size);

/* memfd.c */

TSRUN_API int tsrun_memfd(const char *name);
TSRUN_API int tsrun_memfd_bytes(const char *name, const void *bytes, unsigned int size);
TSRUN_API int tsrun_memfd_file(const char *name, const char *path);

/* socket.c */

TSRUN_API int tsrun_socketpair(int32_t *out);
TSRUN_API int tsrun_listen(const char *dir, const char *name);
TSRUN_API int tsrun_bind(const char *dir, const char *name);
TSRUN_API int tsrun_connect(const char *dir, const char *name);
TSRUN_API int tsrun_connect_stream(const char *path);
TSRUN_API int tsrun_bind_datagram(const char *dir, const char *name);
TSRUN_API int tsrun_connect_datagram(const char *path);
TSRUN_API int tsrun_accept(int listener, int timeout_ms);

/* netlink.c */

/* A rtnetlink socket in the network namespace of this descriptor; our own when it is -1. */
TSRUN_API int tsrun_netlink(int namespace);

/* message.c */

#define TSRUN_MESSAGE_FDS 4u

TSRUN_API int tsrun_send(int sock, const void *packet, unsigned int size, const int32_t *fds,
                         unsigned int nfds);

/* Bytes received, 0: closed. `out`: number of descriptors, then each of at most TSRUN_MESSAGE_FDS.
 */
TSRUN_API int tsrun_receive(int sock, void *packet, unsigned int size, int32_t *out,
                            int timeout_ms);
TSRUN_API int tsrun_send_descriptor(int sock, const void *payload, unsigned int size, int fd);

/* Bytes of payload received. `out`: the descriptor. */
TSRUN_API int tsrun_receive_descriptor(int sock, void *payload, unsigned int size, int32_t *out);

/* child.c */

/* _exit(2): ends the process at once, without what the engine does at its end. */
TSRUN_API int tsrun_exit(int status);

/* isatty(3). */
TSRUN_API int tsrun_is_terminal(int fd);

TSRUN_API int tsrun_pidfd_open(int pid);
TSRUN_API int tsrun_pidfd_signal(int pidfd, int signal);
TSRUN_API int tsrun_pidfd_getfd(int pidfd, int fd);

/* 1: has ended, 0: still runs. */
TSRUN_API int tsrun_wait_pidfd(int pidfd, int timeout_ms);

/* 1: reaped, with its status as a shell shows it in *status; 0: still runs. */
TSRUN_API int tsrun_reap(int pidfd, int32_t *status);
TSRUN_API int tsrun_subreaper(int on);

/* poll.c */

#define TSRUN_POLL_FDS 8u

TSRUN_API int tsrun_pipe(int32_t *out);

/* Bit i: fds[i] is ready. 0 after timeout_ms (-1: no limit); -EINTR is the caller's. */
TSRUN_API int tsrun_poll(const int32_t *fds, unsigned int count, int timeout_ms);

/* watch.c */

/* An inotify descriptor, non-blocking: readable when the file has been modified. */
TSRUN_API int tsrun_watch_file(const char *path);

/* An eventfd, non-blocking: readable when the v1 memory cgroup ran out of memory, or was removed.
 */
TSRUN_API int tsrun_oom_eventfd(const char *cgroup);

/* file.c */

TSRUN_API int tsrun_flock(int fd, int operation);
TSRUN_API int tsrun_openat2(int dirfd, const char *path, const void *how);
TSRUN_API int tsrun_umount2(const char *path, int flags);
TSRUN_API int tsrun_set_cloexec(int fd, int on);
TSRUN_API int tsrun_set_xattr(const char *path, const char *name, const char *value);

/* Bytes of the value; 0 size: how many there are. */
TSRUN_API int tsrun_get_xattr(const char *path, const char *name, void *value, unsigned int size);

/* seccomp.c */

/* 1: seccomp(2) takes a filter with these flags, 0: it does not. */
TSRUN_API int tsrun_seccomp_knows_flags(unsigned int flags);

/* notify.c */

/*
 * Takes one datagram from `container`. 1: it said READY=…, and the manager has been told, and that
 * `pid` is the service's process. 0: it said something else, or there was none.
 */
TSRUN_API int tsrun_forward_ready(int container, int manager, int pid);

/* signals.c, foreground.c */

TSRUN_API int tsrun_hold_signals(void);
TSRUN_API int tsrun_release_signals(void);

/* Gives the pty the size of our terminal; without one it keeps what it has. */
TSRUN_API int tsrun_copy_terminal_size(int master);

/*
 * The exit status of the child. Takes over `master` (-1: none). `sockets`: first the two of
 * tsrun_forward_ready (-1: none), to be called until it has forwarded or failed; what it returned
 * then takes the first one's place. Behind them our ends of the pipes that are the child's stdin,
 * stdout and stderr (-1: none), which it takes over, too.
 */
TSRUN_API int tsrun_foreground(int pidfd, int pid, int master, int32_t *sockets);

/* mounts.c */

/*
 * Moves the calling thread into a mount namespace of its own and binds `source` to `target` there.
 * `out`: descriptors of the namespace and the working directory before, for the way back.
 */
TSRUN_API int tsrun_enter_private(const char *source, const char *target, int32_t *out);

/* The way back; the descriptors are closed. */
TSRUN_API int tsrun_leave_private(int namespace_fd, int cwd_fd);

#endif
