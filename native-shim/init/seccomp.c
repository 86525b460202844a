/*
 * The system call filter. It applies to everything after its load, so what execve needs is prepared
 * before.
 */
#include "init.h"
#include "wire-plan.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

/* Returns the listener with SECCOMP_FILTER_FLAG_NEW_LISTENER, otherwise 0; or -errno. */
static int load(const struct op_seccomp *o) {
    struct sock_fprog program = {
        .len = (unsigned short)(o->program.size / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)(uintptr_t)o->program.data,
    };

    return sys_seccomp(SECCOMP_SET_MODE_FILTER, o->flags, &program);
}

/* When `exec` follows, execve is the only system call after the load. */
static int prepare_exec(struct context *c) {
    struct reader rest = c->ops;
    struct wire_op next;
    struct reader payload;
    struct op_exec o;

    if (!wire_next(&rest, &next) || next.code != OP_EXEC)
        return 0;
    payload = (struct reader){next.payload.data, next.payload.data + next.payload.size};
    return decode_exec(&payload, &o) ? exec_prepare(c, &o) : -EINVAL;
}

struct courier {
    int pipe[2];
    int parent;
    /* 0 in the courier itself. */
    int pid;
};

/* In the courier, which has no filter: waits for the listener and sends it to the engine. */
static _Noreturn void carry(struct context *c, const struct courier *courier) {
    int listener;

    /* It must end with the init, whose end it would not see: it has both ends of the pipe. */
    sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (sys_getppid() != courier->parent)
        sys_exit(1);
    if (sys_read(courier->pipe[0], &listener, sizeof(listener)) != (long)sizeof(listener) ||
        listener < 0)
        sys_exit(0);
    sys_exit(send_descriptor(c, MESSAGE_LISTENER, listener) < 0 ? 1 : 0);
}

static int start_courier(struct context *c, struct courier *courier) {
    int error = sys_pipe2(courier->pipe, O_CLOEXEC);

    if (error < 0)
        return fail(c, error, "pipe");
    courier->parent = sys_getpid();
    /* It shares the init's descriptor table, and so has the listener at once. */
    courier->pid = fork_process(CLONE_FILES, NULL);
    if (courier->pid == 0)
        carry(c, courier);
    if (courier->pid < 0) {
        sys_close(courier->pipe[0]);
        sys_close(courier->pipe[1]);
        return fail(c, courier->pid, "clone");
    }
    return 0;
}

/* Tells the courier the listener, or the error, and reaps it. */
static int finish_courier(struct courier *courier, int listener) {
    int status, error;
    long written = sys_write(courier->pipe[1], &listener, sizeof(listener));

    error = written < 0 ? (int)written : 0;
    /* A filter may deny wait4(2): the container's process then inherits a child that has ended. */
    while (error == 0 && sys_wait4(courier->pid, &status, 0) == -EINTR)
        ;
    sys_close(courier->pipe[0]);
    sys_close(courier->pipe[1]);
    return error;
}

/*
 * After the load, a system call that notifies waits for an agent that does not have the listener
 * yet. So a courier that was started before the load sends the listener. The init makes one call
 * only, write(2), which no profile may notify of.
 */
static int load_supervised(struct context *c, const struct op_seccomp *o) {
    struct courier courier;
    int listener, error = start_courier(c, &courier);

    if (error < 0)
        return error;
    listener = load(o);
    error = finish_courier(&courier, listener);
    if (listener < 0)
        return listener;
    if (error < 0)
        return fail(c, error, "hand over the listener; the profile must allow write(2)");
    /* Over pipes the engine fetches the listener from this process. */
    error = await_engine(c);
    sys_close(listener);
    return error;
}

int run_seccomp(struct context *c, const struct op_seccomp *o) {
    int error;

    if (o->program.size == 0 || o->program.size % sizeof(struct sock_filter) != 0)
        return fail(c, -EINVAL, "this is no filter");
    if (o->program.size / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return fail(c, -EINVAL, "the filter has more instructions than the kernel takes (4096)");
    if ((o->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0)
        return load_supervised(c, o);
    error = prepare_exec(c);
    if (error < 0)
        return error;
    error = load(o);
    /* SECCOMP_FILTER_FLAG_TSYNC returns the id of the thread that it failed for. */
    return error > 0 ? fail(c, -ESRCH, "another thread has a filter of its own") : error;
}
