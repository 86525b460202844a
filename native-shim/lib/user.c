/* Users of the host. */
#include "internal.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

int tsrun_user_name(unsigned int uid, void *name, unsigned int size) {
    char buffer[16384];
    struct passwd entry, *found;
    size_t length;
    int error = getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found);

    if (error != 0)
        return -error;
    if (found == NULL)
        return 0;
    length = strlen(entry.pw_name);
    if (length > size)
        return -ERANGE;
    memcpy(name, entry.pw_name, length);
    return (int)length;
}
