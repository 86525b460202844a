/* mountFilesystem, and the superblock options of remount. */
#include "filesystem.h"
#include "copyup.h"
#include "procfs.h"

/* The largest key or value of fsconfig(2), and the largest data of mount(2), NUL included. */
#define MAX_PARAMETER 256
#define MAX_DATA      4096

/* Attributes every fsmount(2) knows. */
#define FSMOUNT_ATTRIBUTES                                                                         \
    (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |                \
     MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)

/* Options that are flags of mount(2) and parameters of fsconfig(2). */
static const struct {
    const char *option;
    uint64_t flag;
} superblock_flags[] = {
    {"ro", MS_RDONLY},
    {"rw", 0},
    {"sync", MS_SYNCHRONOUS},
    {"async", 0},
    {"dirsync", MS_DIRSYNC},
    {"mand", MS_MANDLOCK},
    {"nomand", 0},
    {"lazytime", MS_LAZYTIME},
    {"nolazytime", 0},
    {"iversion", MS_I_VERSION},
    {"noiversion", 0},
};

/* The likely reason when one of these is refused in a user namespace. */
static const struct {
    const char *type;
    const char *hint;
} refusals[] = {
    {"proc", "a user namespace needs a pid namespace of its own for it, and a /proc outside with "
             "nothing hidden"},
    {"sysfs", "a user namespace needs a network namespace of its own for it, and a /sys outside "
              "with nothing "
              "hidden"},
    {"mqueue", "a user namespace needs an ipc namespace of its own for it"},
    {"cgroup", "a user namespace needs a cgroup namespace of its own for it"},
    {"cgroup2", "a user namespace needs a cgroup namespace of its own for it"},
};

/*
 * Adds the kernel's messages to the detail. They are in the filesystem context; reading removes
 * them.
 */
static void add_log(struct context *c, int fs) {
    char line[512];
    bool any = false;
    long size;

    /* Each read returns one message: a letter for its kind, a space, the text. */
    for (int i = 0; i < 16 && (size = sys_read(fs, line, sizeof(line))) > 2; i++) {
        if (line[0] != 'e' && line[0] != 'w')
            continue;
        if (line[size - 1] == '\n')
            size--;
        add_detail(c, any ? "; " : " (");
        add_detail_bytes(c, line + 2, (size_t)size - 2);
        any = true;
    }
    if (any)
        add_detail(c, ")");
}

static int explain(struct context *c, int fs, int error, uint32_t fault, const char *type,
                   const char *what) {
    set_detail(c, "filesystem ");
    add_detail(c, type);
    add_detail(c, what);
    if (fs >= 0)
        add_log(c, fs);
    for (size_t i = 0; error == -EPERM && i < ARRAY_SIZE(refusals); i++) {
        if (strcmp(type, refusals[i].type) != 0)
            continue;
        add_detail(c, " (");
        add_detail(c, refusals[i].hint);
        add_detail(c, ")");
    }
    c->fault = fault;
    return error;
}

static bool is_long(const char *option) {
    const char *equals = strchr(option, '=');

    if (equals == NULL)
        return strlen(option) >= MAX_PARAMETER;
    return (size_t)(equals - option) >= MAX_PARAMETER || strlen(equals + 1) >= MAX_PARAMETER;
}

static bool any_long(struct wire_strs options) {
    const char *option;

    while ((option = strs_next(&options)) != NULL)
        if (is_long(option))
            return true;
    return false;
}

static bool has_option(struct wire_strs options, const char *prefix) {
    const char *option;

    while ((option = strs_next(&options)) != NULL)
        if (starts_with(option, prefix))
            return true;
    return false;
}

/* `option` has passed any_long. */
static int set_option(struct context *c, int fs, const char *type, const char *option) {
    char key[MAX_PARAMETER], quoted[2 * MAX_PARAMETER + 16];
    const char *equals = strchr(option, '=');
    int error;

    if (equals == NULL) {
        error = sys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
    } else {
        memcpy(key, option, (size_t)(equals - option));
        key[equals - option] = 0;
        error = sys_fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
    }
    if (error >= 0)
        return 0;
    /* Most filesystems do not know iversion, and lose nothing without it. */
    if (error == -EINVAL &&
        (strcmp(option, "iversion") == 0 || strcmp(option, "noiversion") == 0)) {
        while (sys_read(fs, quoted, sizeof(quoted)) > 0)
            continue;
        return 0;
    }
    quoted[0] = 0;
    if (append_text(quoted, sizeof(quoted), ", option ") < 0 ||
        append_text(quoted, sizeof(quoted), option) < 0)
        return error;
    return explain(c, fs, error, FAULT_OPTION, type, quoted);
}

static int set_options(struct context *c, int fs, const char *type, struct wire_strs options,
                       const char *except) {
    const char *option;
    int error = 0;

    while (error == 0 && (option = strs_next(&options)) != NULL)
        if (except == NULL || strcmp(option, except) != 0)
            error = set_option(c, fs, type, option);
    return error;
}

/* The options in the form of mount(2): `data` and `flags`. */
static int classic_options(struct context *c, struct wire_strs options, char data[MAX_DATA],
                           uint64_t *flags) {
    const char *option;

    data[0] = 0;
    *flags = 0;
    while ((option = strs_next(&options)) != NULL) {
        size_t i = 0;

        while (i < ARRAY_SIZE(superblock_flags) && strcmp(option, superblock_flags[i].option) != 0)
            i++;
        if (i < ARRAY_SIZE(superblock_flags)) {
            *flags |= superblock_flags[i].flag;
            continue;
        }
        if ((data[0] != 0 && append_text(data, MAX_DATA, ",") < 0) ||
            append_text(data, MAX_DATA, option) < 0)
            return fail_fault(c, FAULT_OPTION, -E2BIG,
                              "mount options longer than the 4095 bytes mount(2) takes");
    }
    return 0;
}

static unsigned int kept_by_options(struct wire_strs options) {
    return (has_option(options, "mode=") ? COPY_UP_KEEP_MODE : 0) |
           (has_option(options, "uid=") ? COPY_UP_KEEP_UID : 0) |
           (has_option(options, "gid=") ? COPY_UP_KEEP_GID : 0);
}

/* A tmpfs gets the mode of the directory it covers, unless its options have one. */
static bool inherits_mode(const struct op_mount_filesystem *o, const struct place *at) {
    return strcmp(o->type, "tmpfs") == 0 && !at->made && !has_option(o->options, "mode=");
}

/* Writes "mode=" and `mode` in octal. */
static void format_mode(char text[16], unsigned int mode) {
    size_t end = 5;

    memcpy(text, "mode=", end);
    for (int shift = 9; shift >= 0; shift -= 3)
        text[end++] = (char)('0' + ((mode >> shift) & 7));
    text[end] = 0;
}

/* With tmpcopyup the superblock is filled first. */
static int make_superblock_readonly(struct context *c, int fs, const char *type) {
    int error = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0);

    if (error == 0)
        error = sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
    return error < 0 ? explain(c, fs, error, FAULT_OPTION, type, ", option ro") : 0;
}

/*
 * Makes a new superblock and a detached mount of it with these attributes. Returns it, or -errno.
 */
static int make_mount(struct context *c, const struct op_mount_filesystem *o,
                      const struct place *at, unsigned int attributes) {
    bool copy = (o->flags & MOUNT_FLAG_COPY_UP) != 0;
    bool late_ro = copy && has_option(o->options, "ro");
    bool procfs = strcmp(o->type, "proc") == 0;
    cleanup_close int mount = -1;
    cleanup_close int fs = procfs ? procfs_open_context(c) : sys_fsopen(o->type, FSOPEN_CLOEXEC);
    char mode[16];
    int error;

    if (fs == -ENODEV)
        return fail_fault(c, FAULT_TYPE, fs, "filesystem ", o->type,
                          " is not known to this kernel");
    if (fs < 0)
        return explain(c, -1, fs, FAULT_NONE, o->type, "");
    if (o->source[0] != 0) {
        error = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", o->source, 0);
        if (error < 0)
            return explain(c, fs, error, FAULT_SOURCE, o->type, ", source");
    }
    error = set_options(c, fs, o->type, o->options, late_ro ? "ro" : NULL);
    if (error == 0 && inherits_mode(o, at)) {
        format_mode(mode, at->st.stx_mode);
        error = set_option(c, fs, o->type, mode);
    }
    if (error < 0)
        return error;
    error = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (error < 0)
        return explain(c, fs, error, FAULT_NONE, o->type, "");
    mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, attributes);
    if (mount < 0)
        return explain(c, fs, mount, FAULT_NONE, o->type, "");
    /* Another process may have traced the one that has made the context (procfs.c). */
    if (procfs && !mount_is_whole_procfs(mount))
        return fail(c, -EPROTO, "filesystem proc");
    if (copy)
        error = copy_up(c, at->fd, mount, kept_by_options(o->options));
    if (error == 0 && late_ro)
        error = make_superblock_readonly(c, fs, o->type);
    return error < 0 ? error : take_fd(&mount);
}

static int mount_new(struct context *c, const struct op_mount_filesystem *o, const struct place *at,
                     uint64_t attributes) {
    uint64_t first = attributes & FSMOUNT_ATTRIBUTES;
    cleanup_close int mount = -1;
    struct attributes rest;
    int error;

    if ((o->flags & MOUNT_FLAG_COPY_UP) != 0)
        first &= ~(uint64_t)MOUNT_ATTR_RDONLY;
    rest = (struct attributes){.set = attributes & ~first};
    mount = make_mount(c, o, at, (unsigned int)first);
    if (mount < 0)
        return mount;
    error = mount_attach(c, mount, at, &rest);
    return error < 0 ? error : mount_propagations(c, mount, &o->propagation);
}

/*
 * By mount(2), for options that are too long for fsconfig(2), such as many overlay layers. A
 * read-only flag of mount(2) would make the superblock read-only, too. So only nosuid, nodev and
 * noexec are given there, and the other attributes are set after.
 */
static __attribute__((noinline)) int mount_new_classic(struct context *c,
                                                       const struct op_mount_filesystem *o,
                                                       const struct place *at,
                                                       uint64_t attributes) {
    uint64_t first = attributes & (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    struct attributes rest = {.set = attributes & ~first, .clear = MOUNT_ATTR__ATIME};
    struct statx st;
    char data[MAX_DATA];
    cleanup_close int mount = -1;
    uint64_t flags;
    int error;

    if (at->path[0] == 0)
        return fail_fault(c, FAULT_OPTION, -EOPNOTSUPP, "filesystem ", o->type,
                          " on /, with an option longer than 255 bytes");
    error = classic_options(c, o->options, data, &flags);
    if (error < 0)
        return error;
    /* These attributes have the same numbers as their MS_*. */
    error = mount_classic(c, at->fd, o->source[0] == 0 ? NULL : o->source, o->type, flags | first,
                          data);
    if (error < 0)
        return explain(c, -1, error, FAULT_NONE, o->type, ", options longer than 255 bytes");
    mount = path_reopen(c, at);
    error = mount < 0 ? mount : path_identify(mount, &st);
    if (error == 0 && st.stx_mnt_id == at->st.stx_mnt_id)
        error = -ESTALE;
    if (error < 0)
        return fail_fault(c, FAULT_DESTINATION, error, "destination /", at->path,
                          " (replaced while it was mounted on)");
    if ((o->flags & MOUNT_FLAG_COPY_UP) != 0)
        error = copy_up(c, at->fd, mount, kept_by_options(o->options));
    if (error == 0)
        error = mount_change(c, mount, &rest);
    if (error == 0)
        error = mount_propagations(c, mount, &o->propagation);
    return error;
}

int run_mount_filesystem(struct context *c, const struct op_mount_filesystem *o) {
    /* Nothing is mounted below a new filesystem: recursive attributes are its own. */
    uint64_t attributes = (o->attributes & ~o->recursive_clear) | o->recursive_set;
    cleanup_place struct place at;
    int error = path_open(c, o->destination, PATH_MAKE_DIRECTORY | mount_path_flags(o->flags), &at);

    if (error < 0)
        return error;
    if (!S_ISDIR(at.st.stx_mode))
        return fail_fault(c, FAULT_DESTINATION, -ENOTDIR, "destination /", at.path);
    error = mount_guard(c, &at, strcmp(o->type, "proc") == 0, o->flags);
    if (error < 0)
        return error;
    return any_long(o->options) || strlen(o->source) >= MAX_PARAMETER
               ? mount_new_classic(c, o, &at, attributes)
               : mount_new(c, o, &at, attributes);
}

static __attribute__((noinline)) int reconfigure_classic(struct context *c, const struct place *at,
                                                         struct wire_strs options) {
    char data[MAX_DATA];
    uint64_t flags, attributes;
    int error = classic_options(c, options, data, &flags);

    if (error < 0)
        return error;
    /* Without MS_BIND the flags also change the mount: it gets those that it has. */
    error = mount_classic_flags(at->fd, 0, MOUNT_ATTR_RDONLY, &attributes);
    if (error == 0)
        error = mount_classic(c, at->fd, NULL, NULL, MS_REMOUNT | flags | attributes, data);
    return error < 0 ? fail(c, error, "remount of /", at->path) : 0;
}

int filesystem_reconfigure(struct context *c, const struct place *at, struct wire_strs options) {
    char subject[PATH_MAX + 8] = "on /";
    cleanup_close int fs = -1;
    int error;

    if (any_long(options))
        return reconfigure_classic(c, at, options);
    fs = sys_fspick(at->fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
    if (fs == -EINVAL)
        return fail_fault(c, FAULT_DESTINATION, fs, "destination /", at->path,
                          " (not a mount point)");
    if (fs < 0)
        return fail_fault(c, FAULT_DESTINATION, fs, "destination /", at->path);
    error = append_text(subject, sizeof(subject), at->path);
    if (error == 0)
        error = set_options(c, fs, subject, options, NULL);
    if (error < 0)
        return error;
    error = sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
    return error < 0 ? explain(c, fs, error, FAULT_NONE, subject, "") : 0;
}
