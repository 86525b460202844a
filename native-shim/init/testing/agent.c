/*
 * Answers every notification of the seccomp listener on descriptor 3: the call goes on. Writes the
 * number of each call, one line each, and ends when the filtered process has.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define LISTENER 3

int main(void) {
    struct pollfd listener = {.fd = LISTENER, .events = POLLIN};

    setlinebuf(stdout);
    for (;;) {
        struct seccomp_notif call;
        struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

        if (poll(&listener, 1, -1) < 0 || (listener.revents & POLLIN) == 0)
            return 0;
        memset(&call, 0, sizeof(call));
        if (ioctl(LISTENER, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) {
            if (errno == ENOENT || errno == EINTR)
                continue;
            return 1;
        }
        printf("%d\n", call.data.nr);
        answer.id = call.id;
        if (ioctl(LISTENER, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 && errno != ENOENT)
            return 1;
    }
}
