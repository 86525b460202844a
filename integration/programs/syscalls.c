/*
 * Makes system calls by number, with zeroes for arguments, and prints the errno of each: syscalls
 * NUMBER… . "i386:NUMBER" makes it as a program of 32 bits would.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long call(const char *text) {
    long result;

#if defined(__x86_64__)
    if (strncmp(text, "i386:", 5) == 0) {
        long number = atol(text + 5);

        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "a"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
                         : "memory");
        return result;
    }
#endif
    result = syscall(atol(text), 0, 0, 0, 0, 0, 0);
    return result < 0 ? -errno : result;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        long result = call(argv[i]);

        printf("%s %s\n", argv[i], result < 0 ? strerrorname_np((int)-result) : "ok");
        fflush(stdout);
    }
    return 0;
}
