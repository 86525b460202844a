/* What the kernel's seccomp(2) knows. */
#include "internal.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

int tsrun_seccomp_knows_flags(unsigned int flags) {
    /* The kernel checks the flags before it reads the filter. There is none, so none is loaded. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) == 0)
        return -EINVAL;
    if (errno == EFAULT)
        return 1;
    return errno == EINVAL ? 0 : -errno;
}
