/*
 * The session keyring (keyrings(7)).
 *
 *   keyring                     says what it is: `SERIAL TYPE;UID;GID;PERMISSIONS;NAME`
 *   keyring NAME PROGRAM ARG... joins a new one of that name and becomes the program
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what) {
    fprintf(stderr, "keyring: %s: %s\n", what, strerror(errno));
    return 1;
}

int main(int argc, char **argv) {
    char text[4096];
    if (argc >= 3) {
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, argv[1]) < 0)
            return fail("join");
        execvp(argv[2], argv + 2);
        return fail(argv[2]);
    }
    long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    if (serial < 0)
        return fail("get");
    if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, text, sizeof(text)) < 0)
        return fail("describe");
    printf("%ld %s\n", serial, text);
    return 0;
}
