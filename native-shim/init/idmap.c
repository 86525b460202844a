/* cloneTree and idmapTree: detached mounts, kept in slots until something is done with them. */
#include "mount.h"

int run_clone_tree(struct context *c, const struct op_clone_tree *o) {
    char what[PATH_MAX + 16] = "source ";
    int tree;

    if (append_text(what, sizeof(what), o->path) < 0)
        return fail(c, -ENAMETOOLONG, "source ", o->path);
    tree =
        mount_clone(c, AT_FDCWD, o->path,
                    ((o->flags & MOUNT_FLAG_RECURSIVE) != 0 ? AT_RECURSIVE : 0) |
                        ((o->flags & MOUNT_FLAG_SOURCE_NO_FOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0),
                    what);
    return tree < 0 ? tree : slot_put(c, o->slot, tree);
}

int run_idmap_tree(struct context *c, const struct op_idmap_tree *o) {
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
    int error, user, tree = slot_get(c, o->slot);

    if (tree < 0)
        return tree;
    user = slot_get(c, o->user_slot);
    if (user < 0)
        return user;
    attr.userns_fd = (uint64_t)user;
    error =
        sys_mount_setattr(tree, "", AT_EMPTY_PATH | (o->recursive != 0 ? AT_RECURSIVE : 0), &attr);
    if (error == -ENOSYS)
        return fail(c, error, "idmapped mounts need Linux 5.12");
    if (error == -EINVAL)
        return fail(c, error,
                    "idmapped mount (the filesystem cannot do it on this kernel, or the mount is "
                    "idmapped already)");
    return error < 0 ? fail(c, error, "idmapped mount") : 0;
}
