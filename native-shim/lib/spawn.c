/*
 * Starting a program without fork(2), which would copy the page tables of the engine, a large
 * process with many threads. The child shares our memory (CLONE_VM) while we are suspended
 * (CLONE_VFORK), and makes only system calls until it executes the program.
 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STACK_SIZE  (64 * 1024)
#define GUARD_SIZE  4096
#define MAX_STRINGS 1000000u
#define MAX_FDS     65536u

/* The kernel's own types: glibc hides the signals that it uses itself. */
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
    /* Our pid when the child must end with us, else 0. */
    pid_t parent;
    /* Written by the child. */
    volatile int step;
    volatile int error;
};

static int reset_signals(void) {
    const struct kernel_sigaction defaults = {0};
    const kernel_sigset none = 0;

    for (int signal = 1; signal <= 64; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP)
            continue;
        if (syscall(SYS_rt_sigaction, signal, &defaults, NULL, sizeof(kernel_sigset)) < 0)
            return -errno;
    }
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) < 0)
        return -errno;
    return 0;
}

static int close_from_proc(unsigned int first) {
    _Alignas(struct dirent64) char entries[2048];
    cleanup_close int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long size;

    if (dir < 0)
        return -errno;
    while ((size = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0) {
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            const char *digit = entry->d_name;
            unsigned int fd = 0;

            at += entry->d_reclen;
            for (; *digit >= '0' && *digit <= '9' && fd < INT_MAX / 10; digit++)
                fd = fd * 10 + (unsigned int)(*digit - '0');
            if (*digit == '\0' && fd >= first && fd != (unsigned int)dir)
                close((int)fd);
        }
    }
    return size < 0 ? -errno : 0;
}

/* Closes `first` and all above. */
static int close_from(unsigned int first) {
    if (syscall(SYS_close_range, first, ~0u, 0) == 0)
        return 0;
    /* Sandboxes that do not know the call return ENOSYS or EPERM. */
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
        child->fds[i] = fcntl(child->fds[i], F_DUPFD_CLOEXEC, n);
        if (child->fds[i] < 0)
            return -errno;
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

/* All steps up to execve(2), which tells by not returning that they have succeeded. */
static int prepare_and_execute(struct child *child) {
    int error = reset_signals();

    if (error < 0)
        return error;
    child->step = SPAWN_STEP_SETSID;
    if (child->setsid && setsid() < 0)
        return -errno;
    /*
     * PR_SET_PDEATHSIG follows the thread that made the child: only the main thread may spawn. The
     * parent may have ended before.
     */
    if (child->parent != 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != child->parent))
        return -ESRCH;
    child->step = SPAWN_STEP_CWD;
    if (child->cwd[0] != '\0' && chdir(child->cwd) < 0)
        return -errno;
    child->step = SPAWN_STEP_FDS;
    error = place_fds(child);
    if (error < 0)
        return error;
    child->step = SPAWN_STEP_LIMITS;
    if (child->nofile >= 0)
        error = set_soft_limit(RLIMIT_NOFILE, (uint64_t)child->nofile);
    if (error == 0 && child->restore_core)
        error = set_soft_limit(RLIMIT_CORE, child->core);
    if (error < 0)
        return error;
    child->step = SPAWN_STEP_EXEC;
    if (child->executable >= 0)
        syscall(SYS_execveat, child->executable, "", child->argv, child->envp, AT_EMPTY_PATH);
    else
        execve(child->path, child->argv, child->envp);
    return -errno;
}

static int run_child(void *argument) {
    struct child *child = argument;

    child->error = prepare_and_execute(child);
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

/* Fills `child` from the request; -EINVAL when its parts do not fit together. */
static int read_request(struct child *child, const struct spawn_head *head, char *strings,
                        size_t size) {
    char *at = strings;
    char *end = strings + size;
    bool complete;

    child->path = next_string(&at, end);
    child->cwd = next_string(&at, end);
    complete = child->path != NULL && child->cwd != NULL;
    for (uint32_t i = 0; i < head->argc && complete; i++)
        complete = (child->argv[i] = next_string(&at, end)) != NULL;
    for (uint32_t i = 0; i < head->envc && complete; i++)
        complete = (child->envp[i] = next_string(&at, end)) != NULL;
    if (!complete || at != end || (head->executable < 0 && child->path[0] == '\0'))
        return -EINVAL;
    for (uint32_t i = 0; i < head->fd_count; i++)
        child->fds[i] = head->fds[i];
    child->executable = head->executable;
    child->nfds = (int)head->fd_count;
    child->nofile = head->nofile;
    child->restore_core = (head->flags & SPAWN_RESTORE_CORE) != 0;
    child->core = (uint64_t)head->core_high << 32 | head->core_low;
    child->setsid = (head->flags & SPAWN_SETSID) != 0;
    child->parent = (head->flags & SPAWN_DIE_WITH_PARENT) != 0 ? getpid() : 0;
    return 0;
}

/* Starts the prepared child on `stack`. Returns its pid, with its pidfd in *pidfd. */
static int start(struct child *child, char *stack, int *pidfd) {
    /* No signal handler of the engine may run in the child, which shares our memory. */
    const kernel_sigset all = ~(kernel_sigset)0;
    kernel_sigset before;
    int pid;

    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all)) < 0)
        return -errno;
    pid = clone(run_child, stack + GUARD_SIZE + STACK_SIZE,
                CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, child, pidfd);
    if (pid < 0)
        pid = -errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
    return pid;
}

/* Starts the prepared child and reports how that went in `out`. */
static int start_and_check(struct child *child, char *stack, int32_t *out) {
    cleanup_close int pidfd = -1;
    int pid = start(child, stack, &pidfd);

    if (pid < 0)
        return pid;
    if (child->error < 0) {
        siginfo_t info;

        while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
            ;
        out[2] = child->step;
        return child->error;
    }
    out[0] = pid;
    out[1] = take_fd(&pidfd);
    return 0;
}

/*
 * `request`: struct spawn_head. `strings`: path, cwd, args and env, each ended by a NUL; an empty
 * path or cwd is none. `out`: pid, pidfd, the SPAWN_STEP_* that failed.
 */
int tsrun_spawn(const int32_t *request, unsigned int request_words, const void *strings,
                unsigned int strings_size, int32_t *out) {
    const struct spawn_head *head = (const struct spawn_head *)request;
    const unsigned int head_words = sizeof(*head) / sizeof(*request);
    cleanup_free char **argv = NULL, **envp = NULL, *text = NULL;
    cleanup_free int *fds = NULL;
    struct child child;
    char *stack;
    int result;

    out[0] = -1;
    out[1] = -1;
    out[2] = SPAWN_STEP_START;
    if (request_words < head_words || head->argc > MAX_STRINGS || head->envc > MAX_STRINGS ||
        head->fd_count > MAX_FDS || request_words != head_words + head->fd_count)
        return -EINVAL;

    argv = calloc((size_t)head->argc + 1, sizeof(*argv));
    envp = calloc((size_t)head->envc + 1, sizeof(*envp));
    fds = calloc((size_t)head->fd_count + 1, sizeof(*fds));
    text = malloc((size_t)strings_size + 1);
    if (argv == NULL || envp == NULL || fds == NULL || text == NULL)
        return -ENOMEM;
    child = (struct child){.argv = argv, .envp = envp, .fds = fds};
    memcpy(text, strings, strings_size);
    result = read_request(&child, head, text, strings_size);
    if (result < 0)
        return result;

    stack = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return -errno;
    result =
        mprotect(stack, GUARD_SIZE, PROT_NONE) < 0 ? -errno : start_and_check(&child, stack, out);
    munmap(stack, GUARD_SIZE + STACK_SIZE);
    return result;
}
