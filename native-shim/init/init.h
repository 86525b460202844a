/*
 * What the parts of the init share.
 *
 * For every operation fooBar of lib/plan/wire.ts there is one handler, `int run_foo_bar(struct
 * context *c, const struct op_foo_bar *o)`, which returns 0 or -errno. It may leave a detail first
 * (`return fail(c, -ENOENT, path)`); the engine prints it between the name of the operation and the
 * text of the errno. Handlers check what they need themselves, and rely on the planner for the
 * order. Strings of `o` are in the plan, which stays mapped.
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

    /* The operations that have not begun, in the mapped plan. All have been checked. */
    struct reader ops;
    /* Index of the operation that runs, for messages. */
    uint32_t op;

    /* Where messages go: the engine, later `start`; -1: nowhere. */
    int channel;
    /* The descriptor from which the engine's `go` is read. */
    int go;
    /* Both are pipes (usePipes), and no socket. */
    bool pipes;
    /* The first descriptor that is not the container's: 3 + preserved ones. */
    int internal_base;

    /* The rootfs once run_rootfs has opened it, or -1; an O_PATH directory. */
    int rootfs;
    /* The plan has mounted something on the rootfs itself. */
    bool rootfs_covered;
    /* The roots of two procfs, or -errno (proc.c). Use proc_open. */
    int procfs;
    int private_procfs;
    /* Descriptor + 1 of the pid namespace that mounts of procfs show; 0: this process's own. */
    int procfs_pid_namespace;
    /* The next child will be in another pid namespace than this process. */
    bool pid_namespace_left;
    /* The process is, or its next child will be, in a user namespace other than the engine's. */
    bool user_namespace;
    /* Capabilities that a warning has named. */
    uint64_t missing_capabilities;
    /* SELinux label of the files that the init makes itself, or NULL. */
    const char *mount_label;

    /* Set by `findExecutable` and `home`; empty when there is none. `home` includes "HOME=". */
    char executable[PATH_MAX];
    char home[PATH_MAX];
    /* Arguments of execve, made by exec_prepare. */
    char **args;
    char **env;

    /*
     * What the operation has failed on, for the message: FAULT_*, and a text that add_detail
     * extends.
     */
    uint32_t fault;
    size_t detail_size;
    char detail[WIRE_MAX_DETAIL + 1];
};

/* report.c */

/* Replaces the detail, and resets the fault; NULL empties it. */
void set_detail(struct context *c, const char *text);
void add_detail(struct context *c, const char *text);
/* Adds bytes of any value; '?' stands for those that cannot be printed. */
void add_detail_bytes(struct context *c, const char *bytes, size_t size);
void add_detail_number(struct context *c, uint64_t number);

/*
 * fail(c, error, "part", "part"…) makes the parts the detail, and returns `error`, which is -errno.
 * fail(c, error, "") leaves no detail.
 */
#define fail(c, error, ...) fail_fault(c, FAULT_NONE, error, __VA_ARGS__)
/* Like fail, with the FAULT_* that the engine explains the failure by. */
#define fail_fault(c, fault, error, ...)                                                           \
    fail_parts((c), (fault), (error), __VA_ARGS__, (const char *)NULL)
int fail_parts(struct context *c, uint32_t fault, int error, ...) __attribute__((sentinel));

/* Sends a warning at once; its arguments are those of fail. `error` may be 0. Never blocks. */
#define warn(c, error, ...) warn_parts((c), (error), __VA_ARGS__, (const char *)NULL)
void warn_parts(struct context *c, int error, ...) __attribute__((sentinel));

/* Sends one message on the channel. Returns 0 or -errno. */
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
 * Sends a message that carries `fd`. Over pipes it has the number of `fd`, for the engine to fetch
 * it while it is open. Returns 0 or -errno.
 */
int send_descriptor(struct context *c, uint32_t type, int fd);

/* Sends the error with the detail, and exits. */
_Noreturn void die(struct context *c, int error);

/* plan.c */

/* Maps and checks the plan in `fd`, and closes it. Returns 0 or -errno. */
int plan_open(struct context *c, int fd);
/* Runs the operations in order; B runs those after `clone`. */
_Noreturn void plan_run(struct context *c);

/* slots: main.c */

/*
 * Returns the descriptor in `slot`; -EBADF, with a detail, when the slot is empty or does not
 * exist.
 */
int slot_get(struct context *c, uint32_t slot);
/*
 * Puts `fd`, which must have O_CLOEXEC, into `slot` and closes what was there. On failure closes
 * `fd`.
 */
int slot_put(struct context *c, uint32_t slot, int fd);
/* Closes the descriptor in `slot`, if there is one. */
void slot_close(struct context *c, uint32_t slot);

/* proc.c: the kernel's procfs, whatever is mounted on /proc. */

/* Opens /proc. Called first in the caller's namespaces, and again in namespaces that are joined. */
void proc_init(struct context *c);
/*
 * Opens `path`, relative to /proc, without leading slash or "..", with `flags`; `self/…` is
 * allowed. It follows no magic link and crosses no mount: a file that is mounted over it is an
 * error, and cannot redirect a write. Returns a descriptor or -errno, without a detail.
 */
int proc_open(struct context *c, const char *path, uint64_t flags);
/* Opens `path` and writes `data` with one write(2), as /proc demands. Returns 0 or -errno. */
int proc_write(struct context *c, const char *path, const char *data, size_t size);
/*
 * Opens the target of the magic link `name` in the directory `path`: ("self/ns",
 * "time_for_children").
 */
int proc_open_link(struct context *c, const char *path, const char *name);

/* True when the file exists in neither procfs. */
bool proc_missing(struct context *c, const char *path);

/* label.c */

/* Gives a file that the init has made the mount label, if there is one. Returns 0 or -errno. */
int label_file(struct context *c, int fd);

/* fork.c */

/*
 * clone(2) whose child sends SIGCHLD at its end. `pidfd` is for CLONE_PIDFD. Returns 0 in the
 * child.
 */
int fork_process(uint64_t flags, int *pidfd);

/* sync.c */

/* Waits for the engine's `go`. Returns 0 or -errno. */
int await_engine(struct context *c);

/* exec.c */

/* Does what execve needs and a filter may forbid. run_exec calls it unless it was called before. */
int exec_prepare(struct context *c, const struct op_exec *o);
/*
 * Closes all descriptors from `first` on but `kept` (-1: none). Those that a filter keeps it from
 * closing, execve closes.
 */
int close_descriptors(struct context *c, int first, int kept);

/* executable.c */

/* Leaves a detail for execve(2) of `path` that has failed with `error`, and returns `error`. */
int explain_exec(struct context *c, int error, const char *path);

/* vector.c */

/*
 * Makes argv or envp: pointers to the strings of `list`, then `last` unless it is NULL, then NULL.
 * Returns NULL without memory. It is never freed.
 */
char **make_vector(const struct wire_strs *list, const char *last);

/* Closes procfs: proc_open and the others fail from then on. */
void proc_close(struct context *c);

#define DECLARE_HANDLER(name, code, stage)                                                         \
    int run_##name(struct context *c, const struct op_##name *o);
WIRE_OPS(DECLARE_HANDLER)
#undef DECLARE_HANDLER

#endif
