/* What this kernel's seccomp(2) knows. */
#include "tsrun.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int tsrun_seccomp_knows_flags(unsigned int flags) {
    /* The flags are looked at before the filter, and there is none: nothing is ever loaded. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) == 0)
        return -EINVAL;
    if (errno == EFAULT)
        return 1;
    return errno == EINVAL ? 0 : -errno;
}
