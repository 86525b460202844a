/* Device rules of cgroup v2: BPF_PROG_TYPE_CGROUP_DEVICE, see bpf(2). */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* The kernel attaches no more programs to one cgroup (BPF_CGROUP_MAX_PROGS). */
#define MAX_PROGRAMS 64

/* The name of the programs of this file. */
static const char program_name[BPF_OBJ_NAME_LEN] = "tsrun_devices";

/* Linux 5.6; older headers do not have it. */
#ifndef BPF_F_REPLACE
#define BPF_F_REPLACE (1U << 2)
#endif

static int call_bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof(*attributes));

    return result < 0 ? -errno : (int)result;
}

/* Without a log (NULL) the kernel is faster. */
static int load(const void *program, unsigned int count, char *log, unsigned int log_size) {
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof(attributes));
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uintptr_t)program;
    attributes.insn_cnt = count;
    attributes.license = (uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, program_name, sizeof(program_name));
    if (log != NULL) {
        attributes.log_level = 1;
        attributes.log_size = log_size;
        attributes.log_buf = (uintptr_t)log;
    }
    return call_bpf(BPF_PROG_LOAD, &attributes);
}

/*
 * Before Linux 5.11 programs count as locked memory, and without enough of it the error is EPERM.
 * The limit is raised for the load only, since the container would inherit it.
 */
static int load_with_memory(const void *program, unsigned int count) {
    struct rlimit old, raised = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    int fd = load(program, count, NULL, 0);

    if (fd != -EPERM || getrlimit(RLIMIT_MEMLOCK, &old) < 0 || old.rlim_cur == RLIM_INFINITY)
        return fd;
    if (setrlimit(RLIMIT_MEMLOCK, &raised) < 0) {
        raised.rlim_cur = raised.rlim_max = old.rlim_max;
        if (setrlimit(RLIMIT_MEMLOCK, &raised) < 0)
            return fd;
    }
    fd = load(program, count, NULL, 0);
    if (setrlimit(RLIMIT_MEMLOCK, &old) < 0) {
        int error = -errno;

        close_descriptor(&fd);
        return error;
    }
    return fd;
}

/* The number of programs attached to the cgroup itself, with their ids; or -errno. */
static int attached(int cgroup, uint32_t ids[MAX_PROGRAMS]) {
    union bpf_attr attributes;
    int result;

    memset(&attributes, 0, sizeof(attributes));
    attributes.query.target_fd = (uint32_t)cgroup;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uintptr_t)ids;
    attributes.query.prog_cnt = MAX_PROGRAMS;
    result = call_bpf(BPF_PROG_QUERY, &attributes);
    if (result < 0)
        return result;
    return attributes.query.prog_cnt > MAX_PROGRAMS ? -E2BIG : (int)attributes.query.prog_cnt;
}

static int open_program(uint32_t id) {
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof(attributes));
    attributes.prog_id = id;
    return call_bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}

/* 1: the program is of this file, 0: it is not, or -errno. */
static int is_own(int program) {
    struct bpf_prog_info info;
    union bpf_attr attributes;
    int result;

    memset(&info, 0, sizeof(info));
    memset(&attributes, 0, sizeof(attributes));
    attributes.info.bpf_fd = (uint32_t)program;
    attributes.info.info_len = sizeof(info);
    attributes.info.info = (uintptr_t)&info;
    result = call_bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);
    return result < 0 ? result : memcmp(info.name, program_name, sizeof(program_name)) == 0;
}

/* `replaced`: descriptor of the program to replace, or -1. */
static int attach(int cgroup, int program, int replaced) {
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof(attributes));
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (replaced >= 0) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = (uint32_t)replaced;
    }
    return call_bpf(BPF_PROG_ATTACH, &attributes);
}

static int detach(int cgroup, int program) {
    union bpf_attr attributes;

    memset(&attributes, 0, sizeof(attributes));
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    return call_bpf(BPF_PROG_DETACH, &attributes);
}

/*
 * Replaces the program `old`. Before Linux 5.6, which cannot do that in one step, the new program
 * is attached first: there is no moment without rules.
 */
static int replace(int cgroup, int program, int old) {
    int result = attach(cgroup, program, old);

    if (result != -EINVAL)
        return result;
    result = attach(cgroup, program, -1);
    return result < 0 ? result : detach(cgroup, old);
}

/* Attaches `program` and detaches our own earlier ones among `ids`. */
static int attach_instead(int cgroup, int program, const uint32_t *ids, int count) {
    bool is_attached = false;

    for (int i = 0; i < count; i++) {
        cleanup_close int old = open_program(ids[i]);
        int result;

        /* It was detached meanwhile. */
        if (old == -ENOENT)
            continue;
        if (old < 0)
            return old;
        result = is_own(old);
        if (result == 1) {
            result = is_attached ? detach(cgroup, old) : replace(cgroup, program, old);
            is_attached = true;
        }
        if (result < 0)
            return result;
    }
    return is_attached ? 0 : attach(cgroup, program, -1);
}

/* `size`: of the program, in bytes. `log` gets what the verifier says of a program it refuses. */
int tsrun_device_filter(const char *cgroup, const void *program, unsigned int size, void *log,
                        unsigned int log_size) {
    const unsigned int instructions = size / sizeof(struct bpf_insn);
    cleanup_close int cgroup_fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_close int program_fd = -1;
    uint32_t ids[MAX_PROGRAMS];
    int count;

    if (cgroup_fd < 0)
        return -errno;
    program_fd = load_with_memory(program, instructions);
    if (program_fd == -EINVAL || program_fd == -EACCES || program_fd == -E2BIG) {
        /* Load it once more, with a log. */
        cleanup_close int again = load(program, instructions, log, log_size);

        (void)again;
    }
    if (program_fd < 0)
        return program_fd;
    count = attached(cgroup_fd, ids);
    return count < 0 ? count : attach_instead(cgroup_fd, program_fd, ids, count);
}
