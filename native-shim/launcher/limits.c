/* Resource limits (getrlimit(2)) with which an engine cannot start. */
#include "launcher.h"

#define MIB (UINT64_C(1024) * 1024)

/* What the engine was measured to need for a container, and a quarter more. */
const struct needs bun_needs = {.stack = 256 * 1024, .address_space = 480 * MIB, .data = 340 * MIB};
const struct needs node_needs = {
    .stack = 256 * 1024, .address_space = 960 * MIB, .data = 512 * MIB};

/* Without those that the caller hands down from 3 on. */
#define NEEDED_FDS 40

static void check(unsigned int resource, uint64_t needed, bool raised, uint64_t unit,
                  const char *what, const char *advice) {
    struct rlimit64 limit;
    struct line line = {.size = 0};
    uint64_t found;

    if (sys_prlimit(0, (int)resource, NULL, &limit) < 0)
        return;
    /* The engine raises some soft limits itself. */
    found = raised ? limit.rlim_max : limit.rlim_cur;
    if (found >= needed)
        return;
    add_string(&line, what);
    add_string(&line, " is ");
    add_number(&line, found / unit);
    add_string(&line, ", and tsrun needs ");
    add_number(&line, needed / unit);
    add_string(&line, ": raise it (");
    add_string(&line, advice);
    add_string(&line, ")");
    fail(line.bytes, "", "", 0);
}

void check_limits(const struct needs *needs, uint64_t inherited_fds) {
    check(RLIMIT_NOFILE, NEEDED_FDS + inherited_fds, true, 1, "the limit of open files",
          "ulimit -n");
    check(RLIMIT_STACK, needs->stack, false, 1024, "the limit of the stack, in KiB,", "ulimit -s");
    check(RLIMIT_AS, needs->address_space, false, 1024, "the limit of virtual memory, in KiB,",
          "ulimit -v");
    check(RLIMIT_DATA, needs->data, false, 1024, "the limit of data, in KiB,", "ulimit -d");
}

bool forbid_core(uint64_t *before) {
    struct rlimit64 limit;

    if (sys_prlimit(0, RLIMIT_CORE, NULL, &limit) < 0)
        return false;
    *before = limit.rlim_cur;
    /* With 0 a program that gets cores through a pipe would still get one, with 1 it does not
     * (core(5)). */
    limit.rlim_cur = limit.rlim_max > 0 ? 1 : 0;
    return sys_prlimit(0, RLIMIT_CORE, &limit, NULL) == 0;
}
