/* Namespaces that are joined, and namespaces that are made. */
#include "path.h"

#include <linux/nsfs.h>

static const struct {
    uint64_t flag;
    const char *name;
} namespace_types[] = {
    {CLONE_NEWNS, "mount"}, {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWUTS, "uts"},
    {CLONE_NEWIPC, "ipc"},  {CLONE_NEWUSER, "user"},     {CLONE_NEWPID, "pid"},
    {CLONE_NEWNET, "net"},  {CLONE_NEWTIME, "time"},
};

static const char *type_name(uint64_t flag) {
    for (size_t i = 0; i < ARRAY_SIZE(namespace_types); i++)
        if (namespace_types[i].flag == flag)
            return namespace_types[i].name;
    return "unknown";
}

/* Not compared by mount: a bind mount may keep a namespace. */
static bool is_same(const struct statx *a, const struct statx *b) {
    return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
           a->stx_dev_minor == b->stx_dev_minor;
}

/*
 * 1 when `fd` is the namespace of `type` that this process is in, 0 when it is another, or -errno.
 */
static int is_own(struct context *c, int fd, uint32_t type) {
    cleanup_close int link = proc_open_link(c, "self/ns", type_name(type));
    struct statx own, other;
    int error;

    if (link < 0)
        return link;
    error = path_identify(link, &own);
    if (error == 0)
        error = path_identify(fd, &other);
    return error < 0 ? error : is_same(&own, &other);
}

/*
 * A path may name the caller's own namespace, where a sysctl for the container would change the
 * host.
 */
static int refuse_own(struct context *c, int fd, const struct op_open_namespace *o) {
    int own = is_own(c, fd, o->type);

    if (own < 0)
        return fail(c, own, "/proc/self/ns/", type_name(o->type));
    return own == 0 ? 0
                    : fail_fault(c, FAULT_NAMESPACE, -EINVAL, o->path, " is the ",
                                 type_name(o->type), " namespace tsrun itself is in, where ",
                                 o->changes, " would change the host");
}

int run_open_namespace(struct context *c, const struct op_open_namespace *o) {
    /* O_NONBLOCK: a FIFO at the path is an error, not a wait. */
    cleanup_close int fd =
        sys_openat(AT_FDCWD, o->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    int type, error = 0;

    if (fd < 0)
        return fail(c, fd, o->path);
    type = sys_ioctl(fd, NS_GET_NSTYPE, 0);
    if (type < 0)
        error = fail_fault(c, FAULT_NAMESPACE, -EINVAL, o->path, " is not a namespace");
    else if ((uint32_t)type != o->type)
        error =
            fail_fault(c, FAULT_NAMESPACE, -EINVAL, o->path, " is a ", type_name((uint32_t)type),
                       " namespace, not a ", type_name(o->type), " namespace");
    else if (o->changes[0] != 0)
        error = refuse_own(c, fd, o);
    return error < 0 ? error : slot_put(c, o->slot, take_fd(&fd));
}

static int become_root(struct context *c) {
    int error = sys_setresgid(0, 0, 0);

    if (error < 0)
        return fail(c, error, error == -EINVAL ? "the user namespace maps no gid 0" : "setresgid");
    error = sys_setresuid(0, 0, 0);
    if (error < 0)
        return fail(c, error, error == -EINVAL ? "the user namespace maps no uid 0" : "setresuid");
    return 0;
}

int run_become_root(struct context *c, const struct op_become_root *o) {
    (void)o;
    return become_root(c);
}

static int enter_namespace(struct context *c, int fd, uint32_t type) {
    int error;

    /*
     * The root of the namespace must not trace this process, which has descriptors of the host. A
     * joined user namespace has its id maps, so the engine needs no /proc file of ours.
     */
    if (type == CLONE_NEWUSER || type == CLONE_NEWPID) {
        error = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        if (error < 0)
            return fail(c, error, "PR_SET_DUMPABLE");
    }
    error = sys_setns(fd, (int)type);
    if (error < 0)
        return fail(c, error, "join a ", type_name(type), " namespace");
    if (type == CLONE_NEWPID)
        c->pid_namespace_left = true;
    return 0;
}

/* 1 when the user namespace `user` owns the namespace `fd`, or is above its owner; 0 or -errno. */
static int has_power_over(int user, int fd) {
    struct statx wanted, other;
    int error = path_identify(user, &wanted);
    int owner = sys_ioctl(fd, NS_GET_USERNS, 0);

    while (error == 0 && owner >= 0) {
        int parent;

        error = path_identify(owner, &other);
        if (error == 0 && is_same(&wanted, &other))
            error = 1;
        parent = error == 0 ? sys_ioctl(owner, NS_GET_PARENT, 0) : -EPERM;
        sys_close(owner);
        owner = parent;
    }
    if (error != 0)
        return error;
    /* EPERM: the kernel shows no user namespace above the caller's own. */
    return owner == -EPERM ? 0 : owner;
}

int run_enter_pid_namespace_of_others(struct context *c,
                                      const struct op_enter_pid_namespace_of_others *o) {
    int error, user, fd = slot_get(c, o->slot);

    if (fd < 0)
        return fd;
    user = slot_get(c, o->user_slot);
    if (user < 0)
        return user;
    error = has_power_over(user, fd);
    if (error < 0)
        return fail(c, error, "find who owns the pid namespace");
    if (error == 1)
        return 0;
    if (o->hooks > 0)
        return fail(c, -EOPNOTSUPP,
                    "it does not belong to the user namespace that is joined, so its processes "
                    "would see the createContainer hooks, with the host's files");
    return enter_namespace(c, fd, CLONE_NEWPID);
}

int run_enter_namespace(struct context *c, const struct op_enter_namespace *o) {
    int error, fd = slot_get(c, o->slot);

    if (fd < 0)
        return fd;
    /* run_enter_pid_namespace_of_others may have joined it. */
    if (o->type != CLONE_NEWPID || !c->pid_namespace_left) {
        error = enter_namespace(c, fd, o->type);
        if (error < 0)
            return error;
    }
    slot_close(c, o->slot);
    if (o->type != CLONE_NEWUSER)
        return 0;
    c->user_namespace = true;
    return become_root(c);
}

/*
 * In the child that keeps a user namespace alive: waits until its parent closes the pipe or dies.
 */
static _Noreturn void hold_namespace(const int pipe[2]) {
    char byte;

    sys_close(pipe[1]);
    while (sys_read(pipe[0], &byte, 1) == -EINTR)
        ;
    sys_exit(0);
}

static int write_map(struct context *c, int pid, const char *file, const char *map) {
    char path[64] = "", number[NUMBER_SIZE];
    int error;

    /* The buffer has room for any number. */
    append_text(path, sizeof(path), format_number(number, (uint64_t)pid));
    append_text(path, sizeof(path), file);
    error = proc_write(c, path, map, strlen(map));
    if (error < 0)
        return fail(c, error, "write ", file + 1, " '", map, "'");
    return 0;
}

static int open_user_namespace(struct context *c, int pid) {
    char path[64] = "", number[NUMBER_SIZE];
    int fd;

    append_text(path, sizeof(path), format_number(number, (uint64_t)pid));
    append_text(path, sizeof(path), "/ns");
    fd = proc_open_link(c, path, "user");
    if (fd < 0)
        return fail(c, fd, "open the user namespace");
    return fd;
}

int run_make_user_namespace(struct context *c, const struct op_make_user_namespace *o) {
    int pipe[2], pid, status;
    int error = sys_pipe2(pipe, O_CLOEXEC);

    if (error < 0)
        return fail(c, error, "pipe");
    pid = fork_process(CLONE_NEWUSER, NULL);
    if (pid == 0)
        hold_namespace(pipe);
    sys_close(pipe[0]);
    if (pid < 0) {
        sys_close(pipe[1]);
        return fail(c, pid, "make a user namespace");
    }
    error = write_map(c, pid, "/uid_map", o->uid_map);
    if (error == 0)
        error = write_map(c, pid, "/gid_map", o->gid_map);
    if (error == 0)
        error = open_user_namespace(c, pid);
    if (error >= 0)
        error = slot_put(c, o->slot, error);
    sys_close(pipe[1]);
    while (sys_wait4(pid, &status, 0) == -EINTR)
        ;
    return error;
}

int run_unshare(struct context *c, const struct op_unshare *o) {
    int error = sys_unshare(o->flags);

    if (error < 0)
        return fail(c, error, "unshare");
    if ((o->flags & CLONE_NEWUSER) != 0)
        c->user_namespace = true;
    return 0;
}

int run_open_time_offsets(struct context *c, const struct op_open_time_offsets *o) {
    int fd = proc_open(c, "self/timens_offsets", O_WRONLY);

    if (fd < 0)
        return fail(c, fd, "open timens_offsets");
    return slot_put(c, o->slot, fd);
}

static int write_offsets(struct context *c, const struct op_time_namespace *o) {
    size_t size = strlen(o->offsets);
    long written;
    int fd;

    if (size == 0)
        return 0;
    if (o->slot == WIRE_NO_SLOT)
        return proc_write(c, "self/timens_offsets", o->offsets, size);
    fd = slot_get(c, o->slot);
    if (fd < 0)
        return fd;
    written = sys_write(fd, o->offsets, size);
    if (written < 0)
        return (int)written;
    return (size_t)written == size ? 0 : -EIO;
}

/*
 * unshare(2) makes the namespace for children only. Its offsets can be set until a process is in
 * it. A process with one thread may then enter it without another fork.
 */
int run_time_namespace(struct context *c, const struct op_time_namespace *o) {
    int fd, error = sys_unshare(CLONE_NEWTIME);

    if (error < 0)
        return fail(c, error, "make a time namespace");
    error = write_offsets(c, o);
    if (error < 0)
        return fail(c, error, "write '", o->offsets, "' to timens_offsets");
    if (o->slot != WIRE_NO_SLOT) {
        slot_close(c, o->slot);
        return 0;
    }
    fd = proc_open_link(c, "self/ns", "time_for_children");
    if (fd < 0)
        return fail(c, fd, "open the time namespace");
    error = sys_setns(fd, CLONE_NEWTIME);
    sys_close(fd);
    if (error < 0)
        return fail(c, error, "enter the time namespace");
    return 0;
}

int run_hostname(struct context *c, const struct op_hostname *o) {
    int error = sys_sethostname(o->name, strlen(o->name));

    return error < 0 ? fail(c, error, "sethostname") : 0;
}

int run_domainname(struct context *c, const struct op_domainname *o) {
    int error = sys_setdomainname(o->name, strlen(o->name));

    return error < 0 ? fail(c, error, "setdomainname") : 0;
}
