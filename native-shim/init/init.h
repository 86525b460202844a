/*
 * What the parts of the init share.
 *
 * For every operation fooBar of lib/plan/wire.ts there is one handler
 *     int run_foo_bar(struct context *c, const struct op_foo_bar *o);
 * which returns 0 or -errno. Before it returns an error it may say on what (`return fail(c,
 * -ENOENT, path)`); the engine prints that between the name of the operation and the errno in
 * words. Handlers check what they need and leave the order to the planner. Strings of `o` live in
 * the plan, for as long as the init does.
 */
#ifndef TSRUN_INIT_INIT_H
#define TSRUN_INIT_INIT_H

#include "text.h"
#include "wire.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct context {
    /* Descriptor + 1 of each slot, so that an empty slot is 0 and untouched pages stay unmapped. */
    int slots[WIRE_MAX_SLOTS];
    uint32_t slot_count;

    /*
     * The operations not begun yet; all are checked. They lie in the plan, which stays mapped
     * read-only.
     */
    struct reader ops;
    /* Index of the operation that runs, for messages. */
    uint32_t op;

    /* Where messages go: to the engine, then to `start`; -1 for nowhere. */
    int channel;
    /* Where the engine's `go` comes from. */
    int go;
    /* Both are pipes (usePipes), no socket. */
    bool pipes;
    /* The first descriptor that is not the container's: 3 + preserved ones. */
    int internal_base;

    /* The rootfs once run_rootfs has opened it, or -1; an O_PATH directory. */
    int rootfs;
    /* Something of the plan is mounted on the rootfs itself. */
    bool rootfs_covered;
    /* The roots of two procfs, or -errno (proc.c); use proc_open. */
    int procfs;
    int private_procfs;
    /* Descriptor + 1 of the pid namespace that mounts of procfs show; 0 for that of this process.
     */
    int procfs_pid_namespace;
    /* The next child will be in another pid namespace than this process. */
    bool pid_namespace_left;
    /* The process is, or its next child will be, in a user namespace other than the engine's. */
    bool user_namespace;
    /* Capabilities the user has been told he cannot have. */
    uint64_t missing_capabilities;
    /* SELinux label of the files the init makes by itself, or NULL. */
    const char *mount_label;

    /* Set by `findExecutable` and `home`; empty for none. `home` is a whole "HOME=…". */
    char executable[PATH_MAX];
    char home[PATH_MAX];
    /* What execve gets, once exec_prepare has made it. */
    char **args;
    char **env;

    /*
     * On what the operation failed, for the message: FAULT_*, and words, which grow with add_detail
     * and are cut at their end.
     */
    uint32_t fault;
    size_t detail_size;
    char detail[WIRE_MAX_DETAIL + 1];
};

/* report.c */

/* Starts the detail anew, without a fault; NULL empties it. */
void set_detail(struct context *c, const char *text);
void add_detail(struct context *c, const char *text);
/* Bytes of any value: what is not printable comes out as '?'. */
void add_detail_bytes(struct context *c, const char *bytes, size_t size);
void add_detail_number(struct context *c, uint64_t number);

/*
 * fail(c, error, "part", "part"…) makes the parts (NULL-free strings) the detail and returns
 * `error`, which is -errno. fail(c, error, "") keeps no detail.
 */
#define fail(c, error, ...) fail_fault(c, FAULT_NONE, error, __VA_ARGS__)
/* Like fail, with the FAULT_* that the engine explains the failure by. */
#define fail_fault(c, fault, error, ...)                                                           \
    fail_parts((c), (fault), (error), __VA_ARGS__, (const char *)NULL)
int fail_parts(struct context *c, uint32_t fault, int error, ...) __attribute__((sentinel));

/*
 * Like fail, but a message of its own at once; the operation goes on. `error` may be 0. Never
 * blocks.
 */
#define warn(c, error, ...) warn_parts((c), (error), __VA_ARGS__, (const char *)NULL)
void warn_parts(struct context *c, int error, ...) __attribute__((sentinel));

/* One message on the channel. Returns 0 or -errno. */
int send_message(struct context *c, uint32_t type, int error, uint32_t value, const char *detail,
                 size_t detail_size);

/* The control part of a packet that carries one descriptor (unix(7), SCM_RIGHTS). */
struct descriptor_message {
    struct cmsghdr header;
    int fd;
};

#define DESCRIPTOR_MESSAGE(descriptor)                                                             \
    {                                                                                              \
        .header = {.cmsg_len = sizeof(struct cmsghdr) + sizeof(int),                               \
                   .cmsg_level = SOL_SOCKET,                                                       \
                   .cmsg_type = SCM_RIGHTS},                                                       \
        .fd = (descriptor),                                                                        \
    }

/*
 * A message without a detail that carries `fd`; over pipes its number, for the engine to fetch it
 * while it is open. Returns 0 or -errno.
 */
int send_descriptor(struct context *c, uint32_t type, int fd);

/* Sends the error with the detail as it stands, and exits. */
_Noreturn void die(struct context *c, int error);

/* plan.c */

/* Maps and checks the plan in `fd`, and closes it. Returns 0 or -errno. */
int plan_open(struct context *c, int fd);
/* Runs the operations in order, in B those after `clone`. */
_Noreturn void plan_run(struct context *c);

/* slots: main.c */

/*
 * The descriptor in `slot`, or -EBADF (with a detail) when the slot is empty or out of the plan's
 * range.
 */
int slot_get(struct context *c, uint32_t slot);
/*
 * Puts `fd`, which must have O_CLOEXEC, into `slot`; what was there is closed. On failure closes
 * `fd`.
 */
int slot_put(struct context *c, uint32_t slot, int fd);
/* Closes what is in `slot`, if anything. */
void slot_close(struct context *c, uint32_t slot);

/* proc.c: procfs that is really procfs, whatever is mounted on /proc. */

/* Opens /proc: that of the namespaces the init was born in, and later of those it has joined. */
void proc_init(struct context *c);
/*
 * Opens `path` (relative to /proc, no leading slash, no ".."; `self/…` works) with `flags`. No
 * magic link is followed and no mount crossed, so a file bind-mounted over it is an error and not a
 * way to redirect a write. Returns a descriptor or -errno, without a detail.
 */
int proc_open(struct context *c, const char *path, uint64_t flags);
/* Opens and writes all of `data` with one write(2), as /proc wants it. Returns 0 or -errno. */
int proc_write(struct context *c, const char *path, const char *data, size_t size);
/*
 * Opens what the magic link `name` in the directory `path` stands for: ("self/ns",
 * "time_for_children").
 */
int proc_open_link(struct context *c, const char *path, const char *name);

/* True when there is no such file, in whichever /proc. */
bool proc_missing(struct context *c, const char *path);

/* label.c */

/* Labels what the init has made, if its files are to have a label. Returns 0 or -errno. */
int label_file(struct context *c, int fd);

/* fork.c */

/* clone(2) with SIGCHLD at the child's end. `pidfd` is for CLONE_PIDFD. Returns 0 in the child. */
int fork_process(uint64_t flags, int *pidfd);

/* sync.c */

/* Waits for the engine's `go` on the sync socket. Returns 0 or -errno. */
int await_engine(struct context *c);

/* exec.c */

/* All that execve needs and a filter may forbid; run_exec does it unless it is done. */
int exec_prepare(struct context *c, const struct op_exec *o);
/* Closes all descriptors from `first` on but `kept` (-1: none); execve closes what cannot be. */
int close_descriptors(struct context *c, int first, int kept);

/* executable.c */

/*
 * The detail for execve(2) of `path` that failed with `error`: what errno does not tell. Returns
 * `error`.
 */
int explain_exec(struct context *c, int error, const char *path);

/* vector.c */

/*
 * Memory for argv or envp: pointers to the texts of `list`, then `last` unless it is NULL, then
 * NULL. Returns NULL when there is no memory. It is never freed: execve takes it away.
 */
char **make_vector(const struct wire_strs *list, const char *last);

/* Gives up procfs: proc_open and the others fail from then on. */
void proc_close(struct context *c);

#define DECLARE_HANDLER(name, code, stage)                                                         \
    int run_##name(struct context *c, const struct op_##name *o);
WIRE_OPS(DECLARE_HANDLER)
#undef DECLARE_HANDLER

#endif
