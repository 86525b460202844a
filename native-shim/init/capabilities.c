/*
 * Capabilities. One that the config asks for and the init does not have is a warning, as the
 * specification wants it: tsrun itself may run in a container that lacks it.
 */
#include "init.h"

static const char *const names[] = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};

#define CAPABILITIES 64

static uint64_t bit(unsigned int capability) {
    return (uint64_t)1 << capability;
}

/* Warns once of each capability in `missing`. */
static void warn_missing(struct context *c, uint64_t missing, const char *why) {
    /* The longest entry has 24 bytes: "CAP_", a name of 18 and ", ". */
    char list[CAPABILITIES * 32] = "";
    char number[NUMBER_SIZE];

    missing &= ~c->missing_capabilities;
    if (missing == 0)
        return;
    c->missing_capabilities |= missing;
    for (unsigned int i = 0; i < CAPABILITIES; i++) {
        if ((missing & bit(i)) == 0)
            continue;
        if (list[0] != 0)
            append_text(list, sizeof(list), ", ");
        append_text(list, sizeof(list), "CAP_");
        append_text(list, sizeof(list),
                    i < ARRAY_SIZE(names) ? names[i] : format_number(number, i));
    }
    warn(c, -EPERM, list, " cannot be granted: ", why);
}

static const char not_ours[] = "tsrun does not have it";

/* The bounding set, without capabilities that the kernel does not know. */
static uint64_t bounding_set(void) {
    uint64_t set = 0;

    for (unsigned int i = 0; i < CAPABILITIES; i++) {
        int has = sys_prctl(PR_CAPBSET_READ, i, 0, 0, 0);

        if (has < 0)
            break;
        if (has == 1)
            set |= bit(i);
    }
    return set;
}

int run_bounding_set(struct context *c, const struct op_bounding_set *o) {
    uint64_t have = bounding_set();

    for (unsigned int i = 0; i < CAPABILITIES; i++) {
        int error;

        if ((have & ~o->bounding & bit(i)) == 0)
            continue;
        error = sys_prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
        if (error < 0)
            return fail(c, error, "drop a capability from the bounding set");
    }
    warn_missing(c, o->bounding & ~have, not_ours);
    return 0;
}

struct sets {
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
};

static int get_sets(struct sets *sets) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    int error = sys_capget(&header, data);

    if (error < 0)
        return error;
    sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

static int set_sets(const struct sets *sets) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].effective = (uint32_t)(sets->effective >> (32 * i));
        data[i].permitted = (uint32_t)(sets->permitted >> (32 * i));
        data[i].inheritable = (uint32_t)(sets->inheritable >> (32 * i));
    }
    return sys_capset(&header, data);
}

/* Raises the ambient set, and sets *ambient to what could be raised. */
static int set_ambient(struct context *c, uint64_t *ambient, const struct sets *sets) {
    int error = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

    if (error < 0)
        return fail(c, error, "clear the ambient set");
    *ambient &= sets->permitted & sets->inheritable;
    for (unsigned int i = 0; i < CAPABILITIES; i++)
        if ((*ambient & bit(i)) != 0 &&
            sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
            *ambient &= ~bit(i);
    return 0;
}

int run_capabilities(struct context *c, const struct op_capabilities *o) {
    struct sets have, want;
    uint64_t ambient = o->ambient, lost;
    int error = get_sets(&have);

    if (error < 0)
        return fail(c, error, "capget");
    /*
     * A user other than root has an empty effective set by now. CAP_SETPCAP in it allows more in
     * the inheritable set.
     */
    have.effective = have.permitted;
    error = set_sets(&have);
    if (error < 0)
        return fail(c, error, "capset");

    want.permitted = o->permitted & have.permitted;
    want.effective = o->effective & want.permitted;
    want.inheritable = o->inheritable & (have.inheritable | (have.permitted & bounding_set()));
    error = set_sets(&want);
    if (error < 0)
        return fail(c, error, "capset");
    error = set_ambient(c, &ambient, &want);
    if (error < 0)
        return error;
    lost = (o->permitted & ~want.permitted) | (o->effective & ~want.effective) |
           (o->inheritable & ~want.inheritable) | (o->ambient & ~ambient);
    warn_missing(c, lost & ~have.permitted, not_ours);
    warn_missing(c, o->inheritable & ~want.inheritable, "what is inheritable must be bounding");
    warn_missing(c, o->effective & ~want.effective, "what is effective must be permitted");
    warn_missing(c, o->ambient & ~ambient, "what is ambient must be permitted and inheritable");
    return 0;
}
