/* cloneTree, cloneInside and idmapTree: detached mounts, kept in slots until they are attached. */
#include "mount.h"

int run_clone_tree(struct context *c, const struct op_clone_tree *o) {
    int tree =
        mount_clone(c, AT_FDCWD, o->path, mount_clone_flags(o->flags), FAULT_SOURCE, o->path);

    return tree < 0 ? tree : slot_put(c, o->slot, tree);
}

int run_idmap_tree(struct context *c, const struct op_idmap_tree *o) {
    int user, tree = slot_get(c, o->slot);

    if (tree < 0)
        return tree;
    user = slot_get(c, o->user_slot);
    return user < 0 ? user : mount_idmap(c, tree, user, o->recursive != 0);
}

/* Without links the path means the same to A and B, so B can check what A has found (source.c). */
static int open_inside(const struct op_clone_inside *o) {
    const char *path = o->path;
    cleanup_close int root = sys_openat(AT_FDCWD, o->root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

    if (root < 0)
        return root;
    while (*path == '/')
        path++;
    return sys_openat2(root, *path == 0 ? "." : path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int run_clone_inside(struct context *c, const struct op_clone_inside *o) {
    int tree, error = 0, fd = open_inside(o);

    if (fd < 0)
        return 0;
    tree = sys_open_tree(fd, "",
                         AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
                             ((o->flags & MOUNT_FLAG_RECURSIVE) != 0 ? AT_RECURSIVE : 0));
    sys_close(fd);
    if (tree < 0)
        return 0;
    if (o->user_slot != WIRE_NO_SLOT) {
        int user = slot_get(c, o->user_slot);

        error = user < 0 ? user
                         : mount_idmap(c, tree, user, (o->flags & MOUNT_FLAG_IDMAP_RECURSIVE) != 0);
    }
    if (error == 0)
        return slot_put(c, o->slot, tree);
    /* B reports the failure, if it needs the mount. */
    set_detail(c, NULL);
    sys_close(tree);
    return 0;
}
