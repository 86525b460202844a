/* Sealed memory files: the plan, the hooks' state, and the init itself. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* `kind`: MFD_EXEC or MFD_NOEXEC_SEAL. */
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

static int write_all(int fd, const char *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t put = write(fd, bytes + done, size - done);

        if (put < 0 && errno != EINTR)
            return -errno;
        if (put > 0)
            done += (size_t)put;
    }
    return 0;
}

static int copy_by_read(int from, int to) {
    char buffer[16 * 1024];

    for (;;) {
        ssize_t got = read(from, buffer, sizeof(buffer));
        int error;

        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        error = write_all(to, buffer, (size_t)got);
        if (error < 0)
            return error;
    }
}

static int copy(int from, int to) {
    for (;;) {
        ssize_t sent = sendfile(to, from, NULL, 1 << 20);

        if (sent == 0)
            return 0;
        if (sent > 0 || errno == EINTR)
            continue;
        /* A filesystem without splice. Both offsets are where sendfile(2) has left them. */
        if (errno == EINVAL || errno == ENOSYS)
            return copy_by_read(from, to);
        return -errno;
    }
}

int tsrun_memfd(const char *name) {
    return make(name, MFD_NOEXEC_SEAL);
}

int tsrun_memfd_bytes(const char *name, const void *bytes, unsigned int size) {
    cleanup_close int fd = make(name, MFD_NOEXEC_SEAL);
    int error;

    if (fd < 0)
        return fd;
    error = write_all(fd, bytes, size);
    if (error < 0)
        return error;
    /* Some programs get the descriptor as their stdin. */
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    error = seal(fd);
    return error < 0 ? error : take_fd(&fd);
}

int tsrun_memfd_file(const char *name, const char *path) {
    /* O_NONBLOCK: a FIFO in its place is an error, not a wait. */
    cleanup_close int source = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    cleanup_close int fd = -1;
    struct stat status;
    int error;

    if (source < 0 || fstat(source, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    fd = make(name, MFD_EXEC);
    if (fd < 0)
        return fd;
    error = copy(source, fd);
    if (error < 0)
        return error;
    if (fchmod(fd, 0555) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    error = seal(fd);
    return error < 0 ? error : take_fd(&fd);
}
