/* Joining the namespaces of a container, through a pidfd of its first process. */
#include "init.h"

/*
 * The container cannot see this process: only the next child will be in its pid namespace
 * (pid_namespaces(7)). So this process may still use the host's /proc.
 */
int run_enter_container(struct context *c, const struct op_enter_container *o) {
    int error, pidfd = slot_get(c, SLOT_CONTAINER);

    if (pidfd < 0)
        return pidfd;
    error = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (error < 0)
        return fail(c, error, "PR_SET_DUMPABLE");
    if (o->flags == 0)
        return 0;
    /* The kernel joins all of them or none (setns(2)). */
    error = sys_setns(pidfd, (int)o->flags);
    if (error < 0)
        return fail(c, error, "setns");
    if ((o->flags & CLONE_NEWPID) != 0)
        c->pid_namespace_left = true;
    if ((o->flags & CLONE_NEWUSER) == 0)
        return 0;
    c->user_namespace = true;
    return run_become_root(c, &(struct op_become_root){0});
}
