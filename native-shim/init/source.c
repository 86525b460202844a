/* The sources of bind mounts: on the host, cloned by process A, or in the rootfs. */
#include "source.h"

/* Clones `path` below `dir`. `name`: its name in the config. */
static int clone(struct context *c, int dir, const char *path, unsigned int flags, const char *name,
                 struct source *source) {
    source->slot = WIRE_NO_SLOT;
    source->tree = mount_clone(c, dir, path, flags, FAULT_SOURCE, name);
    return source->tree < 0 ? source->tree : 0;
}

static int take_slot(struct context *c, uint32_t slot, struct source *source) {
    source->slot = slot;
    source->tree = slot_get(c, slot);
    return source->tree < 0 ? source->tree : 0;
}

int source_open(struct context *c, const char *path, uint32_t slot, uint32_t flags,
                struct source *source) {
    if (slot != WIRE_NO_SLOT)
        return take_slot(c, slot, source);
    return clone(c, AT_FDCWD, path, mount_clone_flags(flags), path, source);
}

void source_close(struct context *c, const struct source *source) {
    if (source->slot != WIRE_NO_SLOT)
        slot_close(c, source->slot);
    else
        sys_close(source->tree);
}

int source_join_namespace(struct context *c, const struct source *source) {
    if (source->slot == WIRE_NO_SLOT || mount_host_propagation == 0)
        return 0;
    return mount_propagation(c, source->tree, mount_host_propagation | MS_REC);
}

static bool is_filled(struct context *c, uint32_t slot) {
    return slot < c->slot_count && c->slots[slot] != 0;
}

/* The plan has mounted nothing on the way to the file with status `st`. */
static bool is_on_rootfs(struct context *c, const struct statx *st) {
    struct statx root;

    return !c->rootfs_covered && path_identify(c->rootfs, &root) == 0 &&
           root.stx_mnt_id == st->stx_mnt_id;
}

/*
 * A has cloned the mount that `from` is on. Never for a recursive clone: more may be mounted below
 * by now.
 */
static bool is_found_by_a(struct context *c, const struct op_mount_bind *o,
                          const struct place *from) {
    struct statx found;

    if ((o->flags & MOUNT_FLAG_RECURSIVE) != 0 || !is_filled(c, o->slot) ||
        !is_on_rootfs(c, &from->st))
        return false;
    return path_identify(c->slots[o->slot] - 1, &found) == 0 && found.stx_ino == from->st.stx_ino &&
           found.stx_dev_major == from->st.stx_dev_major &&
           found.stx_dev_minor == from->st.stx_dev_minor;
}

/*
 * The plan cannot have mounted anything in a directory that this process may not enter. So what A
 * has found there is right, if the last directory that can be opened is the image's own.
 */
static bool is_behind_closed_door(struct context *c, const struct op_mount_bind *o) {
    char path[PATH_MAX];
    struct place door;
    bool own;
    int error = -EACCES;

    if (!is_filled(c, o->slot) || copy_text(path, sizeof(path), o->inside) < 0)
        return false;
    while (error == -EACCES) {
        char *slash = strrchr(path, '/');

        if (slash == NULL)
            return false;
        *slash = 0;
        error = path_open(c, path, PATH_NO_LINKS, &door);
    }
    if (error < 0)
        return false;
    own = is_on_rootfs(c, &door.st);
    path_close(&door);
    return own;
}

static int map_ids(struct context *c, const struct op_mount_bind *o, int tree) {
    int user;

    if (o->user_slot == WIRE_NO_SLOT)
        return 0;
    if (!is_filled(c, o->user_slot))
        return fail_fault(c, FAULT_IDMAP, -EPERM, "idmapped mount");
    user = slot_get(c, o->user_slot);
    return user < 0 ? user
                    : mount_idmap(c, tree, user, (o->flags & MOUNT_FLAG_IDMAP_RECURSIVE) != 0);
}

static int clone_place(struct context *c, const struct op_mount_bind *o, const struct place *from,
                       struct source *source) {
    int error =
        clone(c, from->fd, "",
              AT_EMPTY_PATH | (mount_clone_flags(o->flags) & ~(unsigned int)AT_SYMLINK_NOFOLLOW),
              o->source, source);

    if (error < 0)
        return error;
    error = map_ids(c, o, source->tree);
    if (error < 0)
        sys_close(source->tree);
    return error;
}

int source_open_inside(struct context *c, const struct op_mount_bind *o, struct source *source) {
    bool no_follow = (o->flags & MOUNT_FLAG_SOURCE_NO_FOLLOW) != 0;
    struct place from;
    int error = path_open(c, o->inside, no_follow ? PATH_NO_FOLLOW : 0, &from);

    if (error == -EACCES && is_behind_closed_door(c, o)) {
        set_detail(c, NULL);
        return take_slot(c, o->slot, source);
    }
    if (error < 0)
        return fail_fault(c, FAULT_SOURCE_IN_ROOTFS, error, o->source,
                          " (looked for in the rootfs)");
    error = is_found_by_a(c, o, &from) ? take_slot(c, o->slot, source)
                                       : clone_place(c, o, &from, source);
    path_close(&from);
    /* What A has cloned is not used, and must not stay open: it is of the host. */
    if (error == 0 && source->slot == WIRE_NO_SLOT)
        slot_close(c, o->slot);
    return error;
}
