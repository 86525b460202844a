/* Loopback interface, session keyring and session of a container's process. */
#include "init.h"

#include <linux/keyctl.h>
#include <linux/sockios.h>

/* struct ifreq; <linux/if.h> needs a libc. */
struct interface_request {
    char name[16];
    int16_t flags;
    char rest[22];
};

#define IFF_UP 1

/* From include/linux/key.h of the kernel. */
#define KEY_USER_SEARCH  0x00080000
#define KEY_OTHER_SEARCH 0x00000008
/* The longest name, and the four fields before it. */
#define DESCRIPTION_SIZE (4096 + 64)

int run_loopback(struct context *c, const struct op_loopback *o) {
    struct interface_request request = {.name = "lo"};
    /* Any socket: it only says which network namespace is meant. */
    cleanup_close int sock = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error;

    (void)o;
    if (sock < 0)
        return fail(c, sock, "socket");
    error = sys_ioctl(sock, SIOCGIFFLAGS, (unsigned long)&request);
    if (error == 0) {
        request.flags |= IFF_UP;
        error = sys_ioctl(sock, SIOCSIFFLAGS, (unsigned long)&request);
    }
    return error < 0 ? fail(c, error, "bring up lo") : 0;
}

/*
 * Parses the hexadecimal permissions in KEYCTL_DESCRIBE's "type;uid;gid;permissions;description".
 */
static bool parse_permissions(const char *text, uint32_t *permissions) {
    for (int field = 0; field < 3; field++) {
        text = strchr(text, ';');
        if (text == NULL)
            return false;
        text++;
    }
    *permissions = 0;
    for (; *text != ';'; text++) {
        uint32_t digit;

        if (*text >= '0' && *text <= '9')
            digit = (uint32_t)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            digit = (uint32_t)(*text - 'a') + 10;
        else
            return false;
        *permissions = *permissions << 4 | digit;
    }
    return true;
}

/*
 * Makes a session keyring, so that the container does not share the caller's keys. A process that
 * joins the container later finds it by its name. It needs search permission for that: as the
 * owner, or in a user namespace as any user, since the owner's id may differ there.
 */
int run_keyring(struct context *c, const struct op_keyring *o) {
    char description[DESCRIPTION_SIZE];
    uint32_t permissions;
    uint32_t search = c->user_namespace ? KEY_OTHER_SEARCH : KEY_USER_SEARCH;
    long size, id = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)o->name, 0, 0);

    /* Without keyrings in the kernel nothing is shared. */
    if (id == -ENOSYS)
        return 0;
    if (id < 0)
        return fail(c, (int)id, "join the session keyring ", o->name);
    size = sys_keyctl(KEYCTL_DESCRIBE, (unsigned long)id, (unsigned long)description,
                      sizeof(description));
    if (size < 0)
        return fail(c, (int)size, "describe the session keyring");
    if (size > (long)sizeof(description) || !parse_permissions(description, &permissions))
        return fail(c, -EPROTO, "describe the session keyring");
    id = sys_keyctl(KEYCTL_SETPERM, (unsigned long)id, permissions | search, 0);
    return id < 0 ? fail(c, (int)id, "set the permissions of the session keyring") : 0;
}

int run_new_session(struct context *c, const struct op_new_session *o) {
    int error = sys_setsid();

    (void)o;
    return error < 0 ? fail(c, error, "setsid") : 0;
}
