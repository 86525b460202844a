/* mountBind, remount and deviceBind: mounts of what exists already. */
#include "filesystem.h"
#include "link.h"
#include "source.h"

static int open_destination(struct context *c, const struct op_mount_bind *o, bool directory,
                            struct place *at) {
    bool make_directory = directory || (o->flags & MOUNT_FLAG_ENSURE_DIRECTORY) != 0;
    int error = path_open(
        c, o->destination,
        (make_directory ? PATH_MAKE_DIRECTORY : PATH_MAKE_FILE) | mount_path_flags(o->flags), at);

    if (error < 0 || S_ISDIR(at->st.stx_mode) == directory)
        return error;
    error = directory ? fail_fault(c, FAULT_DESTINATION, -ENOTDIR, "destination /", at->path,
                                   " (the source is a directory)")
                      : fail_fault(c, FAULT_DESTINATION, -EISDIR, "destination /", at->path,
                                   " (the source is not a directory)");
    path_close(at);
    return error;
}

/* Makes a copy of the link that `tree` is the root of; its path may name another link by now. */
static int copy_link(struct context *c, int tree, const struct op_mount_bind *o) {
    char target[PATH_MAX];
    long size = sys_readlinkat(tree, "", target, sizeof(target));
    int error;

    if (size < 0)
        return fail_fault(c, FAULT_SOURCE, (int)size, o->source);
    if (size == sizeof(target))
        return fail_fault(c, FAULT_SOURCE, -ENAMETOOLONG, o->source);
    target[size] = 0;
    error = link_make(c, o->destination, target, LINK_REFUSE);
    return error == -EEXIST
               ? fail_fault(c, FAULT_DESTINATION, error, "destination ", o->destination,
                            " (in the rootfs, and not the link to copy, to ", target, ")")
               : error;
}

/* Mounts the source, a directory or not, on its destination. */
static int mount_source(struct context *c, const struct op_mount_bind *o,
                        const struct source *source, bool directory) {
    struct attributes attributes = {.set = o->attributes_set,
                                    .clear = o->attributes_clear,
                                    .clear_unlocked = o->attributes_unnamed,
                                    .recursive_set = o->recursive_set,
                                    .recursive_clear = o->recursive_clear};
    cleanup_place struct place at;
    int error = open_destination(c, o, directory, &at);

    /*
     * The kernel locks no attributes of a clone that A has made outside of the user namespace. They
     * are treated as if it did.
     */
    if (source->slot != WIRE_NO_SLOT && c->user_namespace)
        attributes.clear_unlocked = 0;
    if (error == 0)
        error = mount_guard(c, &at, mount_is_whole_procfs(source->tree), o->flags);
    if (error == 0)
        error = mount_attach(c, source->tree, &at, &attributes);
    if (error == 0)
        error = source_join_namespace(c, source);
    if (error == 0)
        error = mount_propagations(c, source->tree, &o->propagation);
    return error;
}

int run_mount_bind(struct context *c, const struct op_mount_bind *o) {
    struct source source;
    struct statx st;
    int error = o->inside[0] != 0 ? source_open_inside(c, o, &source)
                                  : source_open(c, o->source, o->slot, o->flags, &source);

    if (error < 0)
        return error;
    error = path_identify(source.tree, &st);
    if (error < 0)
        fail_fault(c, FAULT_SOURCE, error, o->source);
    else if (S_ISLNK(st.stx_mode) && (o->flags & MOUNT_FLAG_COPY_SYMLINK) != 0)
        error = copy_link(c, source.tree, o);
    else
        error = mount_source(c, o, &source, S_ISDIR(st.stx_mode));
    source_close(c, &source);
    return error;
}

int run_remount(struct context *c, const struct op_remount *o) {
    const struct attributes attributes = {.set = o->attributes_set,
                                          .clear = o->attributes_clear,
                                          .recursive_set = o->recursive_set,
                                          .recursive_clear = o->recursive_clear};
    cleanup_place struct place at;
    int error = path_open(c, o->destination, mount_path_flags(o->flags), &at);

    if (error < 0)
        return error;
    if (o->options.count > 0)
        error = filesystem_reconfigure(c, &at, o->options);
    if (error == 0)
        error = mount_change(c, at.fd, &attributes);
    if (error == 0)
        error = mount_propagations(c, at.fd, &o->propagation);
    return error;
}

static int mount_device(struct context *c, const struct op_device_bind *o,
                        const struct source *source) {
    const struct attributes none = {0};
    cleanup_place struct place at;
    int error = path_open(c, o->path, PATH_MAKE_FILE | PATH_NO_FOLLOW, &at);

    if (error < 0)
        return error;
    if (S_ISLNK(at.st.stx_mode) || S_ISDIR(at.st.stx_mode))
        return fail_fault(c, FAULT_DESTINATION, -EEXIST, o->path,
                          " (in the rootfs, a link or a directory)");
    error = mount_guard(c, &at, false, 0);
    if (error == 0)
        error = mount_attach(c, source->tree, &at, &none);
    return error < 0 ? error : source_join_namespace(c, source);
}

int run_device_bind(struct context *c, const struct op_device_bind *o) {
    struct source source;
    struct statx st;
    int error = source_open(c, o->source, o->slot, 0, &source);

    if (error < 0)
        return error;
    error = path_identify(source.tree, &st);
    if (error == 0 && !S_ISCHR(st.stx_mode) && !S_ISBLK(st.stx_mode))
        error = -ENODEV;
    if (error < 0)
        fail_fault(c, FAULT_SOURCE, error, o->source, " (must be a device)");
    else
        error = mount_device(c, o, &source);
    source_close(c, &source);
    return error;
}
