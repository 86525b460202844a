/*
 * tsrun-init: executes a plan and becomes the container's process.
 *
 * argv[1] is the number n of the first descriptor that is not the container's. n is the plan; n+1+k
 * is slot k, for each slot that the engine fills (closed when there is none). 0..n-1 are the
 * container's stdio and the descriptors it keeps.
 */
#include "init.h"
#include "start.h"

/* All zero, so that it takes no space in the file, and no memory before its use. */
static struct context context;

int slot_get(struct context *c, uint32_t slot) {
    char number[NUMBER_SIZE];

    if (slot >= c->slot_count || c->slots[slot] == 0)
        return fail(c, -EBADF, "slot ", format_number(number, slot), " is empty");
    return c->slots[slot] - 1;
}

void slot_close(struct context *c, uint32_t slot) {
    if (slot >= c->slot_count || c->slots[slot] == 0)
        return;
    sys_close(c->slots[slot] - 1);
    c->slots[slot] = 0;
}

int slot_put(struct context *c, uint32_t slot, int fd) {
    char number[NUMBER_SIZE];

    if (slot >= c->slot_count) {
        sys_close(fd);
        return fail(c, -EBADF, "there is no slot ", format_number(number, slot));
    }
    slot_close(c, slot);
    c->slots[slot] = fd + 1;
    return 0;
}

/*
 * A new descriptor gets the lowest free number. Where the container's stdio or kept descriptors
 * have gaps, one of ours would get such a number and be passed to the container. So the gaps are
 * filled until execve.
 */
static int fill_gaps(int base) {
    for (int fd = 0; fd < base; fd++) {
        int error;

        if (sys_fcntl(fd, F_GETFD, 0) >= 0)
            continue;
        error = sys_dup3(base, fd, O_CLOEXEC);
        if (error < 0)
            return error;
    }
    return 0;
}

/* What the init needs until its end besides its channel: a socket, and memfds. */
static const uint32_t kept_slots[] = {SLOT_START, SLOT_STATE_CREATING, SLOT_STATE_CREATED};

static bool is_kept(const struct context *c, int fd) {
    if (fd >= 0 && (fd == c->channel || fd == c->go))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(kept_slots); i++)
        if (c->slots[kept_slots[i]] == fd + 1)
            return true;
    return false;
}

/* A bound of the descriptors besides slots that can be open at the same time. */
#define OTHER_DESCRIPTORS 64

/*
 * A new descriptor gets the lowest free number: no number is above the count of those that can be
 * open at once.
 */
int run_close_host_descriptors(struct context *c, const struct op_close_host_descriptors *o) {
    int end = c->internal_base + (int)c->slot_count + OTHER_DESCRIPTORS;

    (void)o;
    proc_close(c);
    for (int fd = c->internal_base; fd < end; fd++)
        if (!is_kept(c, fd))
            sys_close(fd);
    for (uint32_t slot = 0; slot < c->slot_count; slot++)
        if (!is_kept(c, c->slots[slot] - 1))
            c->slots[slot] = 0;
    c->rootfs = -1;
    return 0;
}

static void adopt_slots(struct context *c, int base) {
    for (int slot = 0; slot < SLOT_FIRST; slot++) {
        int fd = base + 1 + slot;

        if (sys_fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
            c->slots[slot] = fd + 1;
    }
    /* plan_open sets the number that the plan has. */
    c->slot_count = SLOT_FIRST;
    c->channel = c->slots[SLOT_SYNC] - 1;
    c->go = c->channel;
}

void run_program(int argc, char **argv, char **env) {
    struct context *c = &context;
    uint64_t base;
    int error;

    (void)env;
    c->op = WIRE_NO_OP;
    c->channel = -1;
    c->rootfs = -1;
    if (argc != 2 || !parse_number(argv[1], INT32_MAX - WIRE_MAX_SLOTS, &base) || base < 3)
        sys_exit(2);
    c->internal_base = (int)base;
    adopt_slots(c, c->internal_base);
    error = fill_gaps(c->internal_base);
    /* It cannot fail with this name, which only ps shows. */
    sys_prctl(PR_SET_NAME, (unsigned long)"tsrun-init", 0, 0, 0);
    proc_init(c);
    if (error == 0)
        error = plan_open(c, c->internal_base);
    if (error < 0)
        die(c, error);
    plan_run(c);
    sys_exit(1);
}
