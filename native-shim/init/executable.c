/* Finding the program to execute, and explaining why one cannot be executed. */
#include "init.h"

#include <linux/elf-em.h>
#include <linux/elf.h>

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#else
#define OWN_MACHINE EM_AARCH64
#endif

/* The part of a script's first line that the kernel reads. */
#define HEAD_SIZE 256

static const struct {
    unsigned int machine;
    const char *name;
} machines[] = {
    {EM_386, "i386"},        {EM_ARM, "arm"},       {EM_PPC64, "ppc64"},
    {EM_S390, "s390x"},      {EM_X86_64, "x86_64"}, {EM_MIPS, "mips"},
    {EM_AARCH64, "aarch64"}, {EM_RISCV, "riscv"},   {EM_LOONGARCH, "loongarch"},
};

static const char *machine_name(unsigned int machine) {
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    return "another architecture";
}

static bool is_filtered(int error) {
    return error == -EPERM || error == -ENOSYS;
}

/*
 * Without noNewPrivileges the container's filter is loaded by now, and profiles older than Linux
 * 5.8 do not know faccessat2. faccessat uses the real ids, which equal the effective ones by now,
 * and ignores the capabilities of users other than root. When the filter denies both, execve finds
 * out.
 */
static int may_execute(const char *path) {
    int error = sys_faccessat2(AT_FDCWD, path, X_OK);

    if (is_filtered(error))
        error = sys_faccessat(AT_FDCWD, path, X_OK);
    return is_filtered(error) ? 0 : error;
}

static int check_executable(const char *path) {
    struct stat st;
    int error = sys_fstatat(AT_FDCWD, path, &st, 0);

    if (error < 0)
        return error;
    if (!S_ISREG(st.st_mode))
        return -EACCES;
    return may_execute(path);
}

/* Joins one part of PATH and the name; an empty part is the working directory. */
static int join(char path[PATH_MAX], const char *directory, size_t size, const char *name) {
    if (size == 0)
        return copy_text(path, PATH_MAX, "./") < 0 ? -ENAMETOOLONG
                                                   : append_text(path, PATH_MAX, name);
    if (size + 1 >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(path, directory, size);
    path[size] = '/';
    path[size + 1] = 0;
    return append_text(path, PATH_MAX, name);
}

/*
 * Searches as execvp(3) does. The first file that must not be executed is named when none can be.
 */
static int search(struct context *c, const char *name, const char *directories) {
    char denied[PATH_MAX] = "";
    int found = -ENOENT;

    for (const char *at = directories;;) {
        size_t size = 0;
        int error;

        while (at[size] != 0 && at[size] != ':')
            size++;
        error = join(c->executable, at, size, name);
        if (error == 0)
            error = check_executable(c->executable);
        if (error == 0)
            return 0;
        if (error == -EACCES && found != -EACCES) {
            found = error;
            copy_text(denied, sizeof(denied), c->executable);
        }
        if (at[size] == 0)
            break;
        at += size + 1;
    }
    c->executable[0] = 0;
    return fail(c, found, found == -EACCES ? denied : "executable file not found in $PATH");
}

/*
 * True for names that mean the process itself, as `/proc/self/exe`. In a procfs of a pid namespace
 * that this process is not in, they do not exist. B can resolve them, or execve(2) fails.
 */
static bool is_of_itself(const char *name) {
    return starts_with(name, "/proc/") || starts_with(name, "/dev/fd/");
}

int run_find_executable(struct context *c, const struct op_find_executable *o) {
    struct stat st;
    int error;

    /* The name may lead through /proc/self/fd: no descriptor of the host may be open there. */
    proc_close(c);
    if (*o->name == 0)
        return fail(c, -ENOENT, "the name of the executable is empty");
    if (strchr(o->name, '/') == NULL)
        return search(c, o->name, o->path);
    error = copy_text(c->executable, sizeof(c->executable), o->name);
    if (error == 0)
        error = check_executable(o->name);
    if (error == -ENOENT && c->pid_namespace_left && is_of_itself(o->name))
        return 0;
    if (error == -EACCES && sys_fstatat(AT_FDCWD, o->name, &st, 0) == 0 && S_ISDIR(st.st_mode))
        return fail(c, error, o->name, " is a directory");
    return error < 0 ? fail(c, error, o->name) : 0;
}

/*
 * Finds the interpreter of an ELF program (PT_INTERP). Returns false when there is none, or none
 * that can be read.
 */
static bool elf_interpreter(int fd, const Elf64_Ehdr *elf, char interpreter[HEAD_SIZE]) {
    for (unsigned int i = 0; i < elf->e_phnum; i++) {
        Elf64_Phdr segment;
        long size;

        if (elf->e_phentsize != sizeof(segment) ||
            sys_pread(fd, &segment, sizeof(segment), elf->e_phoff + i * sizeof(segment)) !=
                (long)sizeof(segment))
            return false;
        if (segment.p_type != PT_INTERP)
            continue;
        if (segment.p_filesz >= HEAD_SIZE)
            return false;
        size = sys_pread(fd, interpreter, segment.p_filesz, segment.p_offset);
        interpreter[size < 0 ? 0 : size] = 0;
        return size > 0;
    }
    return false;
}

/* Finds the interpreter of a script: after #! and blanks, up to the next blank. */
static bool script_interpreter(const char *head, size_t size, char interpreter[HEAD_SIZE]) {
    size_t at = 2, length = 0;

    while (at < size && (head[at] == ' ' || head[at] == '\t'))
        at++;
    while (at < size && head[at] != ' ' && head[at] != '\t' && head[at] != '\n' && head[at] != 0)
        interpreter[length++] = head[at++];
    interpreter[length] = 0;
    return length > 0;
}

/* ENOENT and EACCES of execve(2) may be about the interpreter. */
static int explain_interpreter(struct context *c, int error, const char *path,
                               const char *interpreter) {
    if (error == -ENOENT)
        return fail_fault(c, FAULT_INTERPRETER, error, path, " exists, but not its interpreter ",
                          interpreter);
    if (error == -EACCES && check_executable(interpreter) == -EACCES)
        return fail_fault(c, FAULT_INTERPRETER, error, path, " needs ", interpreter,
                          ", which cannot be executed");
    return fail(c, error, path);
}

static int explain_file(struct context *c, int error, const char *path, int fd) {
    union {
        Elf64_Ehdr elf;
        char text[HEAD_SIZE];
    } head;
    char interpreter[HEAD_SIZE];
    struct statfs fs;
    long size = sys_pread(fd, &head, sizeof(head), 0);

    if (size < 0)
        return fail(c, error, path);
    if (error == -EACCES && sys_fstatfs(fd, &fs) == 0 && (fs.f_flags & ST_NOEXEC) != 0)
        return fail(c, error, path, " is on a mount with noexec");
    if (size >= 2 && head.text[0] == '#' && head.text[1] == '!') {
        if (script_interpreter(head.text, (size_t)size, interpreter))
            return explain_interpreter(c, error, path, interpreter);
        return fail(c, error, path, " names no interpreter after #!");
    }
    if (size >= (long)sizeof(head.elf) && memcmp(head.elf.e_ident, ELFMAG, SELFMAG) == 0) {
        if (head.elf.e_machine != OWN_MACHINE)
            return fail(c, error, path, " is a program for ", machine_name(head.elf.e_machine),
                        ", this machine is ", machine_name(OWN_MACHINE));
        if (elf_interpreter(fd, &head.elf, interpreter))
            return explain_interpreter(c, error, path, interpreter);
        return fail(c, error, path);
    }
    if (error == -ENOEXEC)
        return fail(c, error, path,
                    size == 0 ? " is empty" : " is neither a program nor a script (#!)");
    return fail(c, error, path);
}

int explain_exec(struct context *c, int error, const char *path) {
    cleanup_close int fd = -1;

    if (error != -ENOENT && error != -ENOEXEC && error != -EACCES)
        return fail(c, error, path);
    fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (fd < 0)
        return fail(c, error, path);
    return explain_file(c, error, path, fd);
}
