/*
 * Hooks that run in the container's namespaces. Their output goes to a pipe that is always drained,
 * so they never block; its end is kept for the error. A hook has ended when its process has, also
 * when others still hold the pipe.
 */
#include "init.h"

/* How many of the last bytes of the output are kept: errors come at the end. */
#define KEPT_OUTPUT 2048

struct hook {
    const struct op_hook *o;
    int state;
    /* Both ends of two pipes, -1 once closed: for the output, and for the errno of execve. */
    int output[2];
    int failure[2];
    int pidfd;
    int pid;
    /* When it is killed, in nanoseconds of CLOCK_MONOTONIC; 0 for never. */
    int64_t deadline;
    bool timed_out;
    bool output_ended;
    size_t kept;
    char text[KEPT_OUTPUT];
};

static int64_t now(void) {
    struct __kernel_timespec time = {0, 0};

    sys_clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000 + time.tv_nsec;
}

static void close_end(int *end) {
    if (*end >= 0)
        sys_close(*end);
    *end = -1;
}

static void keep(struct hook *h, const char *bytes, size_t size) {
    size_t drop;

    if (size > KEPT_OUTPUT) {
        bytes += size - KEPT_OUTPUT;
        size = KEPT_OUTPUT;
    }
    drop = h->kept + size > KEPT_OUTPUT ? h->kept + size - KEPT_OUTPUT : 0;
    memmove(h->text, h->text + drop, h->kept - drop);
    h->kept -= drop;
    memcpy(h->text + h->kept, bytes, size);
    h->kept += size;
}

/* Reads what is in the pipe now. At most a pipe's capacity: a fast writer must not keep us here. */
static void drain(struct hook *h) {
    char buffer[1024];
    long size;

    for (int i = 0; i < 64; i++) {
        size = sys_read(h->output[0], buffer, sizeof(buffer));
        if (size == 0)
            h->output_ended = true;
        if (size <= 0)
            return;
        keep(h, buffer, (size_t)size);
    }
}

/* In the child. */
static _Noreturn void become_hook(struct context *c, struct hook *h) {
    const sigset_t none = {0};
    struct wire_strs empty = {NULL, 0};
    int failure = h->failure[1];
    char **args =
        h->o->args.count > 0 ? make_vector(&h->o->args, NULL) : make_vector(&empty, h->o->path);
    bool gets_home = (h->o->flags & HOOK_HOME) != 0 && c->home[0] != 0;
    char **env = make_vector(&h->o->env, gets_home ? c->home : NULL);
    int error = args == NULL || env == NULL ? -ENOMEM : sys_sigprocmask(SIG_SETMASK, &none, NULL);

    if (error == 0 && (h->o->flags & HOOK_AT_ROOTFS) != 0)
        error = sys_fchdir(c->rootfs);
    /* The gaps below 3 are filled (main.c), so pipes and state have higher numbers. */
    if (error == 0)
        error = sys_dup3(h->state, 0, 0);
    for (int fd = 1; error >= 0 && fd <= 2; fd++)
        error = sys_dup3(h->output[1], fd, 0);
    if (error >= 0 && failure != 3) {
        error = sys_dup3(failure, 3, O_CLOEXEC);
        if (error >= 0)
            failure = error;
    }
    if (error >= 0)
        error = close_descriptors(c, 4, -1);
    if (error >= 0)
        error = sys_execve(h->o->path, args, env);
    sys_write(failure, &error, sizeof(error));
    sys_exit(127);
}

static int start(struct context *c, struct hook *h) {
    int error = sys_pipe2(h->output, O_CLOEXEC);

    if (error == 0)
        error = sys_pipe2(h->failure, O_CLOEXEC);
    /* Each hook reads the state from its start. */
    if (error == 0)
        error = (int)sys_lseek(h->state, 0, SEEK_SET);
    /* Only our end: O_NONBLOCK belongs to the open file, not to the pipe. */
    if (error >= 0)
        error = sys_fcntl(h->output[0], F_SETFL, O_NONBLOCK);
    if (error >= 0)
        error = sys_fcntl(h->failure[0], F_SETFL, O_NONBLOCK);
    if (error < 0)
        return fail(c, error, h->o->path);
    h->pid = fork_process(CLONE_PIDFD, &h->pidfd);
    if (h->pid == 0)
        become_hook(c, h);
    close_end(&h->output[1]);
    close_end(&h->failure[1]);
    if (h->pid < 0)
        return fail(c, h->pid, "start ", h->o->path);
    return 0;
}

/* Waits until the hook ends, and kills it at its deadline. */
static void watch(struct hook *h) {
    for (;;) {
        struct pollfd fds[2] = {
            {.fd = h->pidfd, .events = POLLIN},
            /* poll(2) ignores a negative descriptor. */
            {.fd = h->output_ended ? -1 : h->output[0], .events = POLLIN},
        };
        struct __kernel_timespec left = {0, 0};
        bool limited = h->deadline != 0 && !h->timed_out;
        int ready;

        if (limited) {
            int64_t remaining = h->deadline - now();

            if (remaining <= 0) {
                h->timed_out = true;
                sys_pidfd_send_signal(h->pidfd, SIGKILL);
                continue;
            }
            left.tv_sec = remaining / 1000000000;
            left.tv_nsec = remaining % 1000000000;
        }
        ready = sys_ppoll(fds, ARRAY_SIZE(fds), limited ? &left : NULL);
        if (ready <= 0)
            continue;
        if (fds[1].revents != 0)
            drain(h);
        if (fds[0].revents != 0)
            break;
    }
    if (!h->output_ended)
        drain(h);
}

/* Adds the hook's output to the detail. */
static int fail_output(struct context *c, struct hook *h, int error) {
    while (h->kept > 0 && (h->text[h->kept - 1] == '\n' || h->text[h->kept - 1] == ' '))
        h->kept--;
    if (h->kept > 0) {
        if (c->detail_size > 0)
            add_detail(c, ": ");
        add_detail_bytes(c, h->text, h->kept);
    }
    return error;
}

static int judge(struct context *c, struct hook *h, int status) {
    int error;

    if (sys_read(h->failure[0], &error, sizeof(error)) == (long)sizeof(error) && error < 0)
        return explain_exec(c, error, h->o->path);
    set_detail(c, NULL);
    if (h->timed_out) {
        c->fault = FAULT_TIMEOUT;
        return fail_output(c, h, -ETIMEDOUT);
    }
    if ((status & 0x7f) != 0) {
        add_detail(c, "killed by signal ");
        add_detail_number(c, (uint64_t)(status & 0x7f));
        return fail_output(c, h, -HOOK_FAILED_ERRNO);
    }
    if (status == 0)
        return 0;
    add_detail(c, "exit status ");
    add_detail_number(c, (uint64_t)(status >> 8 & 0xff));
    return fail_output(c, h, -HOOK_FAILED_ERRNO);
}

/* Runs the started hook to its end. */
static int finish(struct context *c, struct hook *h) {
    int status = 0, error;

    watch(h);
    while (sys_wait4(h->pid, &status, 0) == -EINTR)
        ;
    error = judge(c, h, status);
    /*
     * As pid 1 we inherit the hook's children: those that have ended are reaped, so that the user's
     * program does not get them.
     */
    while (sys_wait4(-1, &status, WNOHANG) > 0)
        ;
    return error;
}

int run_hook(struct context *c, const struct op_hook *o) {
    struct hook h = {.o = o, .output = {-1, -1}, .failure = {-1, -1}, .pidfd = -1};
    int error;

    h.state = slot_get(c, o->state_slot);
    if (h.state < 0)
        return h.state;
    /* A timeout beyond the clock's range is none. */
    if (o->timeout_ms > 0 && o->timeout_ms < INT64_MAX / 2000000)
        h.deadline = now() + (int64_t)o->timeout_ms * 1000000;
    error = start(c, &h);
    if (error == 0)
        error = finish(c, &h);
    close_end(&h.output[0]);
    close_end(&h.output[1]);
    close_end(&h.failure[0]);
    close_end(&h.failure[1]);
    close_end(&h.pidfd);
    return error;
}
