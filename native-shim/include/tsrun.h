/* libtsrun.so. Generated from lib/native/signatures.ts by scripts/tsrun-header.ts: edit those. */

/* clang-format off */

#ifndef TSRUN_TSRUN_H
#define TSRUN_TSRUN_H

#include <stdint.h>

#define MAX_MESSAGE_FDS 4
#define MAX_POLL_FDS 8

#define SPAWN_SETSID 1
#define SPAWN_DIE_WITH_PARENT 2
#define SPAWN_RESTORE_CORE 4

#define SPAWN_STEP_START 0
#define SPAWN_STEP_EXEC 1
#define SPAWN_STEP_FDS 2
#define SPAWN_STEP_LIMITS 3
#define SPAWN_STEP_CWD 4
#define SPAWN_STEP_SETSID 5

struct spawn_head {
    int32_t executable;
    int32_t nofile;
    uint32_t core_low;
    uint32_t core_high;
    uint32_t flags;
    uint32_t argc;
    uint32_t envc;
    uint32_t fd_count;
    int32_t fds[];
};

#pragma GCC visibility push(default)

int tsrun_device_filter(const char *cgroup, const void *program, unsigned int size, void *log, unsigned int log_size);
int tsrun_flock(int fd, int operation);
int tsrun_open_in_root(int root, const char *path, int flags);
int tsrun_set_xattr(const char *path, const char *name, const char *value);
int tsrun_get_xattr(const char *path, const char *name, void *value, unsigned int size);
int tsrun_foreground(int pidfd, int pid, int master, int32_t *fds);
int tsrun_memfd(const char *name);
int tsrun_memfd_bytes(const char *name, const void *bytes, unsigned int size);
int tsrun_memfd_file(const char *name, const char *path);
int tsrun_send(int sock, const void *packet, unsigned int size, const int32_t *fds, unsigned int fd_count);
int tsrun_receive(int sock, void *packet, unsigned int size, int32_t *out, int timeout_ms);
int tsrun_send_descriptor(int sock, const void *payload, unsigned int size, int fd);
int tsrun_receive_descriptor(int sock, void *payload, unsigned int size, int32_t *out);
int tsrun_enter_private(const char *source, const char *target, int32_t *out);
int tsrun_leave_private(int mount_namespace, int cwd);
int tsrun_netlink(int network_namespace);
int tsrun_forward_ready(int container, int manager, int pid);
int tsrun_pipe(int32_t *out);
int tsrun_poll(const int32_t *fds, unsigned int count, int timeout_ms);
int tsrun_exit(int status);
int tsrun_pidfd_open(int pid);
int tsrun_pidfd_signal(int pidfd, int signal);
int tsrun_pidfd_getfd(int pidfd, int fd);
int tsrun_wait_pidfd(int pidfd, int timeout_ms);
int tsrun_reap(int pidfd, int32_t *out);
int tsrun_subreaper(int on);
int tsrun_seccomp_knows_flags(unsigned int flags);
int tsrun_hold_signals(void);
int tsrun_release_signals(void);
int tsrun_held_end(void);
int tsrun_socketpair(int32_t *out);
int tsrun_bind(const char *dir, const char *name);
int tsrun_connect(const char *dir, const char *name);
int tsrun_connect_stream(const char *path);
int tsrun_bind_datagram(const char *dir, const char *name);
int tsrun_connect_datagram(const char *path);
int tsrun_spawn(const int32_t *request, unsigned int request_words, const void *strings, unsigned int strings_size, int32_t *out);
int tsrun_copy_terminal_size(int master);
int tsrun_is_terminal(int fd);
int tsrun_user_name(unsigned int uid, void *name, unsigned int size);
int tsrun_watch_file(const char *path);
int tsrun_oom_eventfd(const char *cgroup);

#pragma GCC visibility pop

#endif
