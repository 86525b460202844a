/* The last operation: the init becomes the user's program. */
#include "init.h"

/*
 * Closes all but the container's descriptors and the socket that reports a failure, which execve
 * closes. In two ranges and without CLOSE_RANGE_CLOEXEC, which Linux 5.10 lacks.
 */
static int close_internal(struct context *c, unsigned int first) {
    unsigned int channel = (unsigned int)c->channel;
    int error = 0;

    if (c->channel < 0)
        return sys_close_range(first, ~0u, 0);
    if (channel > first)
        error = sys_close_range(first, channel - 1, 0);
    return error < 0 ? error : sys_close_range(channel + 1, ~0u, 0);
}

static bool has_home(const struct wire_strs *env) {
    struct wire_strs left = *env;
    const char *text;

    while ((text = strs_next(&left)) != NULL)
        if (starts_with(text, "HOME="))
            return true;
    return false;
}

int run_exec(struct context *c, const struct op_exec *o) {
    const char *home = c->home[0] != 0 && !has_home(&o->env) ? c->home : NULL;
    char **args, **env;
    int error;

    if (c->executable[0] == 0 || o->args.count == 0)
        return fail(c, -EINVAL, "the plan has nothing to execute");
    if (o->preserve_fds > (uint32_t)c->internal_base - 3)
        return fail(c, -EINVAL, "the plan keeps descriptors that are not the container's");
    args = make_vector(&o->args, NULL);
    env = make_vector(&o->env, home);
    if (args == NULL || env == NULL)
        return fail(c, -ENOMEM, "arguments and environment");
    error = close_internal(c, 3 + o->preserve_fds);
    if (error < 0)
        return fail(c, error, "close descriptors");
    return explain_exec(c, sys_execve(c->executable, args, env), c->executable);
}
