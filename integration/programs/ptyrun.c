/*
 * Runs a program on a terminal of its own, 24 rows and 80 columns, as a person's terminal emulator
 * does, and copies from and to our own stdio. SIGUSR1 makes the terminal 33 rows by 111 columns.
 * Ends with the status of the program, or 128 + its signal; the last line says whether the terminal
 * was left as it was: "tty restored" or "tty changed".
 *
 *   ptyrun PROGRAM [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

static int master = -1;

static void die(const char *what) {
    fprintf(stderr, "ptyrun: %s: %s\n", what, strerror(errno));
    exit(125);
}

static void resize(int signal) {
    struct winsize size = {.ws_row = 33, .ws_col = 111};
    (void)signal;
    ioctl(master, TIOCSWINSZ, &size);
}

/* Copies once; 0 at the end of the source. */
static int copy(int from, int to) {
    char buffer[4096];
    ssize_t length = read(from, buffer, sizeof(buffer));
    if (length < 0 && errno == EINTR)
        return 1;
    if (length <= 0)
        return 0;
    if (write(to, buffer, (size_t)length) != length)
        die("write");
    return 1;
}

/* Copies until the program has ended and all it wrote is read. */
static void talk(pid_t pid) {
    struct pollfd waits[2] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    for (;;) {
        int ready = poll(waits, 2, 20);
        if (ready < 0 && errno != EINTR)
            die("poll");
        if (ready > 0 && waits[0].revents != 0)
            copy(master, 1);
        if (ready > 0 && waits[1].revents != 0 && !copy(0, master))
            waits[1].fd = -1;
        if (ready != 0)
            continue;
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
            die("waitid");
        if (info.si_pid == pid)
            return;
    }
}

int main(int argc, char **argv) {
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct termios before = {0};
    struct termios after = {0};
    int slave;
    int status;
    if (argc < 2) {
        fprintf(stderr, "usage: ptyrun PROGRAM [ARGUMENT...]\n");
        return 125;
    }
    if (openpty(&master, &slave, NULL, NULL, &size) < 0)
        die("openpty");
    if (tcgetattr(slave, &before) < 0)
        die("tcgetattr");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        close(master);
        if (login_tty(slave) < 0)
            die("login_tty");
        execvp(argv[1], argv + 1);
        die(argv[1]);
    }
    struct sigaction action = {.sa_handler = resize};
    if (sigaction(SIGUSR1, &action, NULL) < 0)
        die("sigaction");
    talk(pid);
    if (waitpid(pid, &status, 0) != pid)
        die("waitpid");
    /* The slave was open here all along: the terminal's modes outlive the program. */
    if (tcgetattr(slave, &after) < 0)
        die("tcgetattr");
    printf("\ntty %s\n", memcmp(&before, &after, sizeof(before)) == 0 ? "restored" : "changed");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
