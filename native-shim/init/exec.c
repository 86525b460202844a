/* The last operation: the init becomes the user's program. */
#include "init.h"

/*
 * Without CLOSE_RANGE_CLOEXEC, which Linux 5.10 lacks. A loaded filter may be older than
 * close_range(2) and deny it. Then the container's descriptors are closed one by one, and execve
 * closes the others, since the init opens nothing without O_CLOEXEC.
 */
int close_descriptors(struct context *c, int first, int kept) {
    int error = 0;

    if (kept > first)
        error = sys_close_range((unsigned int)first, (unsigned int)kept - 1, 0);
    if (error == 0)
        error = sys_close_range((unsigned int)(kept >= first ? kept + 1 : first), ~0u, 0);
    if (error != -ENOSYS && error != -EPERM)
        return error;
    for (int fd = first; fd < c->internal_base; fd++)
        if (fd != kept)
            sys_close(fd);
    return 0;
}

static bool has_home(const struct wire_strs *env) {
    struct wire_strs left = *env;
    const char *text;

    while ((text = strs_next(&left)) != NULL)
        if (starts_with(text, "HOME="))
            return true;
    return false;
}

int exec_prepare(struct context *c, const struct op_exec *o) {
    const char *home = c->home[0] != 0 && !has_home(&o->env) ? c->home : NULL;
    int error;

    if (c->executable[0] == 0 || o->args.count == 0)
        return fail(c, -EINVAL, "the plan has nothing to execute");
    if (o->preserve_fds > (uint32_t)c->internal_base - 3)
        return fail(c, -EINVAL, "the plan keeps descriptors that are not the container's");
    c->args = make_vector(&o->args, NULL);
    c->env = make_vector(&o->env, home);
    if (c->args == NULL || c->env == NULL)
        return fail(c, -ENOMEM, "arguments and environment");
    /* execve closes the channel: it must stay to report a failure. */
    error = close_descriptors(c, 3 + (int)o->preserve_fds, c->channel);
    return error < 0 ? fail(c, error, "close descriptors") : 0;
}

int run_exec(struct context *c, const struct op_exec *o) {
    int error = c->args != NULL ? 0 : exec_prepare(c, o);

    if (error < 0)
        return error;
    return explain_exec(c, sys_execve(c->executable, c->args, c->env), c->executable);
}
