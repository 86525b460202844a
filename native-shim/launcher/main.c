/* What happens between the user's call and the engine's first instruction. */
#include "launcher.h"

/* More descriptors than anybody hands down. */
#define MAX_INHERITED 4096

/*
 * Opens the missing ones of stdin, stdout and stderr: the next files the engine opens would take
 * their numbers, and so become the container's.
 */
static void open_stdio(void) {
    for (int fd = 0; fd <= 2; fd++) {
        int opened;

        if (sys_fcntl(fd, F_GETFD, 0) >= 0)
            continue;
        /* The lowest free number, hence this one. */
        opened = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
        if (opened < 0)
            fail("open ", "/dev/null", "", opened);
    }
}

/*
 * The engine and its garbage collector depend on signals the caller may have blocked, and waiting
 * for children on SIGCHLD not being ignored; both survive execve. Other ignored signals are the
 * caller's wish (nohup).
 */
static void reset_signals(void) {
    const struct sigaction action = {.sa_handler = SIG_DFL};
    const sigset_t none = 0;

    /* Neither can fail with these arguments. */
    (void)sys_sigaction(SIGCHLD, &action, NULL);
    (void)sys_sigprocmask(SIG_SETMASK, &none, NULL);
}

/* How many descriptors are open from 3 on, without a gap: those a container may be given. */
static uint64_t count_inherited(void) {
    int fd = 3;

    while (fd < 3 + MAX_INHERITED && sys_fcntl(fd, F_GETFD, 0) >= 0)
        fd++;
    return (uint64_t)(fd - 3);
}

/* The folder of this program, with a slash at the end. */
static void own_folder(struct text *folder) {
    long size = sys_readlinkat(AT_FDCWD, "/proc/self/exe", folder->bytes, PATH_MAX);

    if (size < 0)
        fail("read ", "/proc/self/exe", ": is /proc mounted?", (int)size);
    while (size > 0 && folder->bytes[size - 1] != '/')
        size--;
    folder->size = (size_t)size;
    folder->bytes[size] = '\0';
}

static void file_of(struct text *path, const struct text *folder, const char *name) {
    path->size = 0;
    path->cut = false;
    text_add(path, folder->bytes, folder->size);
    text_add_string(path, name);
    if (path->cut)
        fail("the path of ", name, " is too long", 0);
}

/* True when the working directory has no name, without which the engines do not start: deleted, or
 * elsewhere. */
static bool is_cwd_gone(void) {
    char path[PATH_MAX];
    long size = sys_getcwd(path, sizeof path);

    return size <= 0 || path[0] != '/';
}

/*
 * Becomes `node script args…`. Which node is said by the link that the installation made, and not
 * by PATH: root runs tsrun with the PATH of other people.
 */
static _Noreturn void run_node(const struct text *folder, const char *script, int argc, char **argv,
                               char **env) {
    struct text path;
    char **args = sys_mmap(((size_t)argc + 3) * sizeof *args, PROT_READ | PROT_WRITE,
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

static _Noreturn void run(int argc, char **argv, char **env) {
    struct text folder = {.size = 0}, path, nofile = {.size = 0}, core = {.size = 0};
    struct text fds = {.size = 0};
    uint64_t inherited, core_limit;
    const char *notes[MAX_NOTES] = {NULL};
    struct rlimit64 limit;
    bool wants_node;
    int error = 0;

    open_stdio();
    reset_signals();
    if (is_cwd_gone()) {
        error = sys_chdir("/");
        if (error < 0)
            fail("enter ", "/", "", error);
        notes[0] = NOTE_CWD_GONE;
    }
    if (sys_prlimit(0, RLIMIT_NOFILE, NULL, &limit) == 0) {
        text_add_string(&nofile, NOTE_NOFILE);
        text_add_number(&nofile, limit.rlim_cur);
        notes[1] = nofile.bytes;
    }
    /* Asked now: soon the engine has files of its own there. */
    text_add_string(&fds, NOTE_FDS);
    inherited = count_inherited();
    text_add_number(&fds, inherited);
    notes[2] = fds.bytes;
    if (forbid_core(&core_limit)) {
        text_add_string(&core, NOTE_CORE);
        text_add_number(&core, core_limit);
        notes[3] = core.bytes;
    }
    notes[4] = NOTE_NO_REPORT;
    notes[5] = NOTE_ONE_THREAD;
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

/* `stack` is what the kernel leaves for a new program: argc, argv, NULL, environment, NULL. */
__attribute__((used)) _Noreturn void start(long *stack);

__attribute__((used)) _Noreturn void start(long *stack) {
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);

    run(argc, argv, argv + argc + 1);
}

#if defined(__x86_64__)
__asm__(".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call start\n"
        "    hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        ".type _start, %function\n"
        "_start:\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x0, sp\n"
        "    and sp, x0, #-16\n"
        "    bl start\n"
        "    brk #0\n");
#endif
