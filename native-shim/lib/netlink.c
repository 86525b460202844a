/* Sockets of rtnetlink(7), in our network namespace or in another one. */
#include "internal.h"

#include <errno.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

/* A socket that belongs to the caller's network namespace. */
static int open_here(void) {
    cleanup_close int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const int on = 1;

    if (sock < 0)
        return -errno;
    /* Errors come with the kernel's text, and without a copy of the request. */
    if (setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) < 0 ||
        setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
        return -errno;
    return take_fd(&sock);
}

struct visit {
    int network_namespace;
    int result;
};

static void *open_there(void *argument) {
    struct visit *visit = argument;

    visit->result = setns(visit->network_namespace, CLONE_NEWNET) < 0 ? -errno : open_here();
    return NULL;
}

/*
 * A network namespace belongs to a thread, and a socket stays in the one it was made in. A thread
 * that does nothing else enters the namespace; the engine's own threads never do.
 */
int tsrun_netlink(int network_namespace) {
    struct visit visit = {.network_namespace = network_namespace, .result = -EIO};
    pthread_t thread;
    sigset_t all, before;
    int error;

    if (network_namespace < 0)
        return open_here();
    sigfillset(&all);
    /* The engine's signal handlers expect threads they know. */
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error != 0)
        return -error;
    error = pthread_create(&thread, NULL, open_there, &visit);
    if (error == 0)
        error = pthread_join(thread, NULL);
    if (error != 0)
        visit.result = -error;
    error = pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0 && visit.result >= 0) {
        close(visit.result);
        visit.result = -error;
    }
    return visit.result;
}
