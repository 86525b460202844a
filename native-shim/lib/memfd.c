/* Sealed memory files: the plan, the hooks' state, and the init itself. */
#include "tsrun.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static int make(const char *name, unsigned int kind) {
    const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(name, flags | kind);
    /* Kernels before 6.3 do not know the two kinds: every memfd may be executed there. */
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, flags);
    return fd < 0 ? -errno : fd;
}

/* Makes the content of `fd` final. */
static int seal(int fd) {
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return -errno;
    return 0;
}

static int copy(int from, int to) {
    char buffer[16 * 1024];
    for (;;) {
        ssize_t sent = sendfile(to, from, NULL, 1 << 20);
        if (sent == 0)
            return 0;
        if (sent > 0 || errno == EINTR)
            continue;
        if (errno != EINVAL && errno != ENOSYS)
            return -errno;
        break;
    }
    /* A filesystem without splice support; both offsets are where sendfile left them. */
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, buffer + done, (size_t)(got - done));
            if (put < 0 && errno != EINTR)
                return -errno;
            if (put > 0)
                done += put;
        }
    }
}

int tsrun_memfd(const char *name) {
    return make(name, MFD_NOEXEC_SEAL);
}

int tsrun_memfd_bytes(const char *name, const void *bytes, unsigned int size) {
    int fd = make(name, MFD_NOEXEC_SEAL);
    if (fd < 0)
        return fd;
    int result;
    /* pwrite keeps the offset at 0: some readers get the descriptor as their stdin. */
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite(fd, (const char *)bytes + done, size - done, (off_t)done);
        if (put < 0 && errno != EINTR) {
            result = -errno;
            goto fail;
        }
        if (put > 0)
            done += (size_t)put;
    }
    result = seal(fd);
    if (result < 0)
        goto fail;
    return fd;

fail:
    close(fd);
    return result;
}

int tsrun_memfd_file(const char *name, const char *path) {
    int result;
    int fd = -1;
    struct stat status;
    /* O_NONBLOCK: a FIFO in its place is an error, not a wait. */
    int source = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (source < 0)
        return -errno;
    if (fstat(source, &status) < 0) {
        result = -errno;
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        result = -EINVAL;
        goto out;
    }
    fd = make(name, MFD_EXEC);
    if (fd < 0) {
        result = fd;
        goto out;
    }
    result = copy(source, fd);
    if (result < 0)
        goto out;
    if (fchmod(fd, 0555) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        result = -errno;
        goto out;
    }
    result = seal(fd);

out:
    close(source);
    if (result < 0) {
        if (fd >= 0)
            close(fd);
        return result;
    }
    return fd;
}
