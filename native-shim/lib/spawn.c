/*
 * Starting a program without fork(2): the engine is a large multi-threaded process whose page
 * tables would have to be copied. The child shares its memory (CLONE_VM) while it is suspended
 * (CLONE_VFORK), and makes only system calls until it executes the program.
 */
#include "tsrun.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE  (64 * 1024)
#define GUARD_SIZE  4096
#define MAX_STRINGS 1000000u
#define MAX_FDS     65536u

/* The kernel's own types: glibc hides the signals it uses itself, which must be reset and blocked
 * too. */
typedef uint64_t kernel_sigset;
struct kernel_sigaction {
    unsigned long handler;
    unsigned long flags;
    unsigned long restorer;
    kernel_sigset mask;
};

struct child {
    int executable;
    const char *path;
    const char *cwd;
    char **argv;
    char **envp;
    int *fds;
    int nfds;
    int nofile;
    bool restore_core;
    uint64_t core;
    bool setsid;
    /* Our pid when the child is to end with us, else 0. */
    pid_t parent;
    /* What the child tells through the shared memory. */
    volatile int step;
    volatile int error;
};

static int reset_signals(void) {
    const struct kernel_sigaction defaults = {0};
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP)
            continue;
        if (syscall(SYS_rt_sigaction, signal, &defaults, NULL, sizeof(kernel_sigset)) < 0)
            return -errno;
    }
    const kernel_sigset none = 0;
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none) < 0)
        return -errno;
    return 0;
}

static int close_from_proc(unsigned int first) {
    int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    _Alignas(struct dirent64) char entries[2048];
    long size;
    while ((size = syscall(SYS_getdents64, dir, entries, sizeof entries)) > 0) {
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            unsigned int fd = 0;
            const char *digit = entry->d_name;
            for (; *digit >= '0' && *digit <= '9' && fd < INT_MAX / 10; digit++)
                fd = fd * 10 + (unsigned int)(*digit - '0');
            if (*digit == '\0' && fd >= first && fd != (unsigned int)dir)
                close((int)fd);
        }
    }
    int result = size < 0 ? -errno : 0;
    close(dir);
    return result;
}

/* Closes `first` and all above. */
static int close_from(unsigned int first) {
    if (syscall(SYS_close_range, first, ~0u, 0) == 0)
        return 0;
    /* Sandboxes that do not know the call answer with either. */
    if (errno != ENOSYS && errno != EPERM)
        return -errno;
    return close_from_proc(first);
}

/*
 * Puts copies of child->fds at 0..nfds-1, in any overlap with the numbers they come from, and
 * closes all others. The executable, when it is a descriptor, ends up at nfds.
 */
static int place_fds(struct child *child) {
    const int n = child->nfds;
    /* First everything that a later step would overwrite moves out of the way. */
    for (int i = 0; i < n; i++) {
        if (child->fds[i] < 0 || child->fds[i] >= n)
            continue;
        int moved = fcntl(child->fds[i], F_DUPFD_CLOEXEC, n);
        if (moved < 0)
            return -errno;
        child->fds[i] = moved;
    }
    if (child->executable >= 0 && child->executable < n) {
        child->executable = fcntl(child->executable, F_DUPFD_CLOEXEC, n);
        if (child->executable < 0)
            return -errno;
    }
    for (int i = 0; i < n; i++) {
        if (child->fds[i] < 0)
            close(i);
        else if (dup2(child->fds[i], i) < 0)
            return -errno;
    }
    if (child->executable < 0)
        return close_from((unsigned int)n);
    if (child->executable == n) {
        if (fcntl(n, F_SETFD, FD_CLOEXEC) < 0)
            return -errno;
    } else {
        if (dup3(child->executable, n, O_CLOEXEC) < 0)
            return -errno;
        child->executable = n;
    }
    return close_from((unsigned int)n + 1);
}

static int set_soft_limit(int resource, uint64_t soft) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0)
        return -errno;
    limit.rlim_cur = soft < limit.rlim_max ? (rlim_t)soft : limit.rlim_max;
    return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

static int run_child(void *argument) {
    struct child *child = argument;
    child->error = reset_signals();
    if (child->error < 0)
        return 127;
    child->step = TSRUN_STEP_SETSID;
    if (child->setsid && setsid() < 0) {
        child->error = -errno;
        return 127;
    }
    /*
     * It follows the thread that made the child, so spawn is never called from another than the
     * main one. The parent may have ended before.
     */
    if (child->parent != 0 &&
        (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != child->parent)) {
        child->error = -ESRCH;
        return 127;
    }
    child->step = TSRUN_STEP_CWD;
    if (child->cwd[0] != '\0' && chdir(child->cwd) < 0) {
        child->error = -errno;
        return 127;
    }
    child->step = TSRUN_STEP_FDS;
    child->error = place_fds(child);
    if (child->error < 0)
        return 127;
    child->step = TSRUN_STEP_LIMITS;
    if (child->nofile >= 0)
        child->error = set_soft_limit(RLIMIT_NOFILE, (uint64_t)child->nofile);
    if (child->error == 0 && child->restore_core)
        child->error = set_soft_limit(RLIMIT_CORE, child->core);
    if (child->error < 0)
        return 127;
    child->step = TSRUN_STEP_EXEC;
    if (child->executable >= 0)
        syscall(SYS_execveat, child->executable, "", child->argv, child->envp, AT_EMPTY_PATH);
    else
        execve(child->path, child->argv, child->envp);
    child->error = -errno;
    return 127;
}

/* The next string of [*at, end), or NULL when there is none. */
static char *next_string(char **at, char *end) {
    char *start = *at;
    char *nul = start < end ? memchr(start, '\0', (size_t)(end - start)) : NULL;
    if (nul == NULL)
        return NULL;
    *at = nul + 1;
    return start;
}

/* Fills the pointers of `child` from the request; -EINVAL when the parts do not fit together. */
static int read_request(struct child *child, const struct tsrun_spawn_head *head, char *strings,
                        size_t size) {
    char *at = strings;
    char *end = strings + size;
    child->path = next_string(&at, end);
    child->cwd = next_string(&at, end);
    for (uint32_t i = 0; i < head->argc; i++)
        child->argv[i] = next_string(&at, end);
    for (uint32_t i = 0; i < head->envc; i++)
        child->envp[i] = next_string(&at, end);
    bool short_of_strings = child->path == NULL || child->cwd == NULL ||
                            (head->argc > 0 && child->argv[head->argc - 1] == NULL) ||
                            (head->envc > 0 && child->envp[head->envc - 1] == NULL);
    if (short_of_strings || at != end)
        return -EINVAL;
    if (head->executable < 0 && child->path[0] == '\0')
        return -EINVAL;
    for (uint32_t i = 0; i < head->nfds; i++)
        child->fds[i] = head->fds[i];
    child->executable = head->executable;
    child->nfds = (int)head->nfds;
    child->nofile = head->nofile;
    child->restore_core = (head->flags & TSRUN_SPAWN_RESTORE_CORE) != 0;
    child->core = (uint64_t)head->core_high << 32 | head->core_low;
    child->setsid = (head->flags & TSRUN_SPAWN_SETSID) != 0;
    child->parent = (head->flags & TSRUN_SPAWN_DIE_WITH_PARENT) != 0 ? getpid() : 0;
    return 0;
}

/* Starts the prepared child on `stack`; its pid, and its pidfd in *pidfd. */
static int start(struct child *child, char *stack, int *pidfd) {
    /* No signal handler of the engine may run in the child, on the engine's own data. */
    const kernel_sigset all = ~(kernel_sigset)0;
    kernel_sigset before;
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all) < 0)
        return -errno;
    int pid = clone(run_child, stack + GUARD_SIZE + STACK_SIZE,
                    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, child, pidfd);
    if (pid < 0)
        pid = -errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    return pid;
}

int tsrun_spawn(const void *request, unsigned int request_words, const void *strings,
                unsigned int strings_size, int32_t *out) {
    const struct tsrun_spawn_head *head = request;
    struct child child = {.executable = -1};
    char *stack = MAP_FAILED;
    char *text = NULL;
    int pidfd = -1;
    int result;

    out[0] = -1;
    out[1] = -1;
    out[2] = TSRUN_STEP_START;
    if (request_words < sizeof *head / sizeof(int32_t) || head->argc > MAX_STRINGS ||
        head->envc > MAX_STRINGS || head->nfds > MAX_FDS ||
        request_words != sizeof *head / sizeof(int32_t) + head->nfds)
        return -EINVAL;

    child.argv = calloc((size_t)head->argc + 1, sizeof *child.argv);
    child.envp = calloc((size_t)head->envc + 1, sizeof *child.envp);
    child.fds = calloc((size_t)head->nfds + 1, sizeof *child.fds);
    text = malloc((size_t)strings_size + 1);
    if (child.argv == NULL || child.envp == NULL || child.fds == NULL || text == NULL) {
        result = -ENOMEM;
        goto out;
    }
    memcpy(text, strings, strings_size);
    result = read_request(&child, head, text, strings_size);
    if (result < 0)
        goto out;

    stack = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, GUARD_SIZE, PROT_NONE) < 0) {
        result = -errno;
        goto out;
    }

    result = start(&child, stack, &pidfd);
    if (result < 0)
        goto out;
    if (child.error < 0) {
        siginfo_t info;
        while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
            ;
        close(pidfd);
        out[2] = child.step;
        result = child.error;
        goto out;
    }
    out[0] = result;
    out[1] = pidfd;
    result = 0;

out:
    if (stack != MAP_FAILED)
        munmap(stack, GUARD_SIZE + STACK_SIZE);
    free(text);
    free(child.fds);
    free(child.envp);
    free(child.argv);
    return result;
}
