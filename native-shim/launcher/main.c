/* What happens between the user's call and the engine's first instruction. */
#include "launcher.h"
#include "start.h"

/* More descriptors than any caller hands down. */
#define MAX_INHERITED 4096

/*
 * Opens those of stdin, stdout and stderr that are closed: the next files that the engine opens
 * would get their numbers, and so become the container's.
 */
static void open_stdio(void) {
    for (int fd = 0; fd <= 2; fd++) {
        int opened;

        if (sys_fcntl(fd, F_GETFD, 0) >= 0)
            continue;
        /* It gets the lowest free number, which is `fd`. */
        opened = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
        if (opened < 0)
            fail("open ", "/dev/null", "", opened);
    }
}

/*
 * Unblocks all signals and sets SIGCHLD to its default; execve(2) changes neither. The engine's
 * garbage collector needs signals, and waiting for children needs SIGCHLD. Other signals that the
 * caller ignores stay ignored (nohup).
 */
static void reset_signals(void) {
    const struct sigaction action = {.sa_handler = SIG_DFL};
    const sigset_t none = 0;

    /* Neither can fail with these arguments. */
    (void)sys_sigaction(SIGCHLD, &action, NULL);
    (void)sys_sigprocmask(SIG_SETMASK, &none, NULL);
}

/* How many descriptors are open from 3 on without a gap: a container may be given these. */
static uint64_t count_inherited(void) {
    int fd = 3;

    while (fd < 3 + MAX_INHERITED && sys_fcntl(fd, F_GETFD, 0) >= 0)
        fd++;
    return (uint64_t)(fd - 3);
}

/* The folder of this program, with a slash at the end. */
static void own_folder(struct line *folder) {
    long size = sys_readlinkat(AT_FDCWD, "/proc/self/exe", folder->bytes, PATH_MAX);

    if (size < 0)
        fail("read ", "/proc/self/exe", ": is /proc mounted?", (int)size);
    while (size > 0 && folder->bytes[size - 1] != '/')
        size--;
    folder->size = (size_t)size;
    folder->bytes[size] = '\0';
}

static void file_of(struct line *path, const struct line *folder, const char *name) {
    path->size = 0;
    path->cut = false;
    add_bytes(path, folder->bytes, folder->size);
    add_string(path, name);
    if (path->cut)
        fail("the path of ", name, " is too long", 0);
}

/*
 * True when the working directory has no path: it is deleted, or outside the root. The engines do
 * not start in such a directory.
 */
static bool is_cwd_gone(void) {
    char path[PATH_MAX];
    long size = sys_getcwd(path, sizeof(path));

    return size <= 0 || path[0] != '/';
}

/*
 * Becomes `node script args…`. The link tsrun-node, made by the installation, says which node. PATH
 * does not: root runs tsrun with the PATH of other users.
 */
static _Noreturn void run_node(const struct line *folder, const char *script, int argc, char **argv,
                               char **env) {
    struct line path;
    char **args = sys_mmap(((size_t)argc + 3) * sizeof(*args), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1);
    int error;

    if (sys_is_error(args))
        fail("no memory", "", "", 0);
    args[0] = (char *)"node";
    args[1] = (char *)script;
    for (int i = 1; i < argc; i++)
        args[i + 1] = argv[i];
    args[argc > 0 ? argc + 1 : 2] = NULL;
    file_of(&path, folder, "tsrun-node");
    error = sys_execve(path.bytes, args, env);
    fail("execute ", path.bytes, " (a link to the program node of Node.js 20 or newer)", error);
}

void run_program(int argc, char **argv, char **env) {
    struct line folder = {.size = 0}, path, nofile = {.size = 0}, core = {.size = 0};
    struct line fds = {.size = 0};
    uint64_t inherited, core_limit;
    const char *notes[MAX_NOTES] = {NULL}, **note = notes;
    struct rlimit64 limit;
    bool wants_node;
    int error = 0;

    open_stdio();
    reset_signals();
    if (is_cwd_gone()) {
        error = sys_chdir("/");
        if (error < 0)
            fail("enter ", "/", "", error);
    }
    if (sys_prlimit(0, RLIMIT_NOFILE, NULL, &limit) == 0) {
        add_string(&nofile, NOTE_NOFILE);
        add_number(&nofile, limit.rlim_cur);
        *note++ = nofile.bytes;
    }
    /* The engine will open files of its own in that range. */
    add_string(&fds, NOTE_FDS);
    inherited = count_inherited();
    add_number(&fds, inherited);
    *note++ = fds.bytes;
    if (forbid_core(&core_limit)) {
        add_string(&core, NOTE_CORE);
        add_number(&core, core_limit);
        *note++ = core.bytes;
    }
    *note++ = NOTE_NO_REPORT;
    *note++ = NOTE_ONE_THREAD;
    own_folder(&folder);
    env = engine_environment(env, notes, &wants_node);
    if (env == NULL)
        fail("no memory", "", "", 0);
    if (!wants_node && cpu_runs_engine()) {
        file_of(&path, &folder, "tsrun-engine");
        check_limits(&bun_needs, inherited);
        error = sys_execve(path.bytes, argv, env);
        if (error != -ENOENT)
            fail("execute ", path.bytes, "", error);
    }
    file_of(&path, &folder, "tsrun.cjs");
    error = sys_faccessat(AT_FDCWD, path.bytes, R_OK);
    if (error < 0 && wants_node)
        fail("TSRUN_ENGINE=node needs ", path.bytes, ", which cannot be read", error);
    if (error < 0)
        fail("neither tsrun-engine nor tsrun.cjs is in ", folder.bytes, ": install tsrun again", 0);
    check_limits(&node_needs, inherited);
    run_node(&folder, path.bytes, argc, argv, env);
}
