/*
 * Runs a program that, with all its descendants, cannot become dumpable again (PR_SET_DUMPABLE):
 * to be told EPERM instead of doing it for a moment only.
 *
 *   stay-hidden PROGRAM ARG...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

int main(int argc, char **argv) {
    struct sock_filter filter[] = {
        LOAD(nr),
        UNLESS(SYS_prctl, 5),
        LOAD(args[0]),
        UNLESS(PR_SET_DUMPABLE, 3),
        LOAD(args[1]),
        UNLESS(1, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

    if (argc < 2) {
        fprintf(stderr, "usage: stay-hidden PROGRAM ARG...\n");
        return 2;
    }
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        execvp(argv[1], argv + 1);
    fprintf(stderr, "stay-hidden: %s\n", strerror(errno));
    return 1;
}
