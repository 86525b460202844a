/* Device rules of cgroup v2: BPF_PROG_TYPE_CGROUP_DEVICE, see bpf(2). */
#include "tsrun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More programs on one cgroup than the kernel allows (BPF_CGROUP_MAX_PROGS). */
#define MAX_PROGRAMS 64

static int call_bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof(*attributes));
    return result < 0 ? -errno : (int)result;
}

static int load(const void *program, unsigned int count, char *log, unsigned int log_size) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uintptr_t)program;
    attributes.insn_cnt = count;
    attributes.license = (uintptr_t) "Apache-2.0";
    attributes.log_level = log_size > 0 ? 1 : 0;
    attributes.log_size = log_size;
    attributes.log_buf = log_size > 0 ? (uintptr_t)log : 0;
    return call_bpf(BPF_PROG_LOAD, &attributes);
}

/* Before Linux 5.11 programs count as locked memory, of which there is little. */
static void allow_locked_memory(void) {
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)!setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* The programs attached to the cgroup itself: their number, or -errno. */
static int attached(int cgroup, uint32_t ids[MAX_PROGRAMS]) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.query.target_fd = (uint32_t)cgroup;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uintptr_t)ids;
    attributes.query.prog_cnt = MAX_PROGRAMS;
    int result = call_bpf(BPF_PROG_QUERY, &attributes);
    return result < 0 ? result : (int)attributes.query.prog_cnt;
}

static int detach(int cgroup, uint32_t id) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.prog_id = id;
    int program = call_bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
    if (program < 0)
        return program;
    memset(&attributes, 0, sizeof(attributes));
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    int result = call_bpf(BPF_PROG_DETACH, &attributes);
    close(program);
    return result;
}

int tsrun_device_filter(const char *cgroup, const void *program, unsigned int size, void *log,
                        unsigned int log_size) {
    union bpf_attr attributes;
    uint32_t old[MAX_PROGRAMS];
    int program_fd = -1;
    int count;
    int result;
    int cgroup_fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup_fd < 0)
        return -errno;
    program_fd = load(program, size / sizeof(struct bpf_insn), NULL, 0);
    if (program_fd == -EPERM) {
        allow_locked_memory();
        program_fd = load(program, size / sizeof(struct bpf_insn), NULL, 0);
    }
    /* Once more for the verifier's reasons; it writes them only when asked. */
    if (program_fd == -EINVAL || program_fd == -EACCES)
        program_fd = load(program, size / sizeof(struct bpf_insn), log, log_size);
    if (program_fd < 0) {
        result = program_fd;
        goto out;
    }
    count = attached(cgroup_fd, old);
    if (count < 0) {
        result = count;
        goto out;
    }
    /* The new one first: all programs must agree to an access, so nothing is open in between. */
    memset(&attributes, 0, sizeof(attributes));
    attributes.target_fd = (uint32_t)cgroup_fd;
    attributes.attach_bpf_fd = (uint32_t)program_fd;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    result = call_bpf(BPF_PROG_ATTACH, &attributes);
    for (int i = 0; result == 0 && i < count; i++)
        result = detach(cgroup_fd, old[i]);
out:
    if (program_fd >= 0)
        close(program_fd);
    close(cgroup_fd);
    return result;
}
