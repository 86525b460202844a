/* Joining a container that exists: its namespaces, through a pidfd of its first process. */
#include "init.h"

int run_enter_container(struct context *c, const struct op_enter_container *o) {
    int error, pidfd = slot_get(c, SLOT_CONTAINER);

    if (pidfd < 0)
        return pidfd;
    /*
     * This process holds descriptors of the host. Before the container's processes can see it, they
     * must not be able to attach to it or to look at them (proc.c says which files of its own that
     * takes from it).
     */
    error = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (error < 0)
        return fail(c, error, "PR_SET_DUMPABLE");
    if (o->flags == 0)
        return 0;
    /* All of them or none: the kernel changes nothing before it has checked each (setns(2)). */
    error = sys_setns(pidfd, (int)o->flags);
    if (error < 0)
        return fail(c, error, "setns");
    /*
     * Not dumpable is not enough against CAP_SYS_PTRACE: through a /proc of the host it would reach
     * the roots of all processes.
     */
    if ((o->flags & CLONE_NEWNS) != 0) {
        proc_close(c);
        proc_init(c);
    }
    if ((o->flags & CLONE_NEWUSER) == 0)
        return 0;
    c->user_namespace = true;
    return run_become_root(c, &(struct op_become_root){0});
}
