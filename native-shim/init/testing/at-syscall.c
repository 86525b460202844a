/*
 * at-syscall NAME COUNT ACTION A B PROGRAM ARGS…: executes the program, and when it or a child of
 * it is about to make the system call NAME for the COUNTth time, does something before it goes on:
 *   swap    the files A and B change places
 *   kill    the process ends instead
 *   orphan  its parent ends, and it has another one
 *   scoped  the process ends, if it is an openat2(2) that may leave its directory; COUNT is 0 for
 * all The tracer is no parent of the program: its real parent can wait for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
    const char *name;
    long number;
    /* Only with this first argument; 0 for any. */
    unsigned long first;
};

static const struct call calls[] = {
    {"mount", SYS_mount, 0},     {"move_mount", SYS_move_mount, 0},
    {"openat2", SYS_openat2, 0}, {"pdeathsig", SYS_prctl, PR_SET_PDEATHSIG},
    {"sendmsg", SYS_sendmsg, 0},
};

static const struct call *call;
static long count;
static bool every;
static const char *action, *a, *b;

static int parent_of(pid_t pid) {
    char path[64], line[512];
    int parent = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "PPid: %d", &parent) == 1)
            break;
    fclose(file);
    return parent;
}

static int is_scoped(pid_t pid, const struct __ptrace_syscall_info *info) {
    struct open_how how = {0};
    struct iovec to = {&how, sizeof(how)}, from = {(void *)info->entry.args[2], sizeof(how)};

    return process_vm_readv(pid, &to, 1, &from, 1, 0) == sizeof(how) &&
           (how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
}

static void act(pid_t pid, const struct __ptrace_syscall_info *info) {
    if (strcmp(action, "swap") == 0) {
        if (renameat2(-100, a, -100, b, RENAME_EXCHANGE) != 0)
            perror("renameat2");
    } else if (strcmp(action, "kill") == 0) {
        kill(pid, SIGKILL);
    } else if (strcmp(action, "scoped") == 0) {
        if (!is_scoped(pid, info))
            kill(pid, SIGKILL);
    } else {
        int parent = parent_of(pid);

        kill(parent, SIGKILL);
        while (parent_of(pid) == parent)
            usleep(1000);
    }
}

/* The process has stopped; lets it go on. */
static void look(pid_t pid, int status) {
    struct __ptrace_syscall_info info;
    int signal = WSTOPSIG(status);

    if (signal == (SIGTRAP | 0x80)) {
        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
            info.op == PTRACE_SYSCALL_INFO_ENTRY && (long)info.entry.nr == call->number &&
            (call->first == 0 || info.entry.args[0] == call->first) && (every || --count == 0))
            act(pid, &info);
        signal = 0;
    } else if (status >> 16 != 0) {
        signal = 0;
    }
    ptrace(PTRACE_SYSCALL, pid, 0, signal);
}

static int trace(pid_t target, int ready) {
    int status, pid;

    if (ptrace(PTRACE_SEIZE, target, 0,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACECLONE) != 0 ||
        ptrace(PTRACE_INTERRUPT, target, 0, 0) != 0 || waitpid(target, &status, __WALL) != target)
        return 1;
    ptrace(PTRACE_SYSCALL, target, 0, 0);
    if (write(ready, "", 1) != 1)
        return 1;
    /* Sockets of the program would stay open after it has closed them. */
    close_range(3, ~0u, 0);
    while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR)
        if (pid > 0 && WIFSTOPPED(status))
            look(pid, status);
    return 0;
}

int main(int argc, char **argv) {
    pid_t self = getpid(), child;
    int ready[2];
    char byte;

    if (argc < 7 || pipe2(ready, O_CLOEXEC) != 0)
        return 2;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, argv[1]) == 0)
            call = &calls[i];
    if (call == NULL)
        return 2;
    count = atol(argv[2]);
    every = count == 0;
    action = argv[3];
    a = argv[4];
    b = argv[5];
    child = fork();
    if (child == 0) {
        if (fork() == 0)
            _exit(trace(self, ready[1]));
        _exit(0);
    }
    close(ready[1]);
    if (child < 0 || waitpid(child, NULL, 0) != child || read(ready[0], &byte, 1) != 1)
        return 2;
    execv(argv[6], argv + 6);
    perror(argv[6]);
    return 1;
}
