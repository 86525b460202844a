/* symlink, and the links that are copied in the place of a bind mount. */
#include "link.h"

/* Tries of link_make when something else keeps appearing. */
#define MAX_TRIES 16

static bool is_link_to(int directory, const char *name, const char *target) {
    char link[PATH_MAX];
    long size = sys_readlinkat(directory, name, link, sizeof(link));

    return size >= 0 && (size_t)size == strlen(target) && memcmp(link, target, (size_t)size) == 0;
}

static int remove_entry(int directory, const char *name) {
    int error = sys_unlinkat(directory, name, 0);

    if (error == -EISDIR)
        error = sys_unlinkat(directory, name, AT_REMOVEDIR);
    return error == -ENOENT ? 0 : error;
}

/* One try; -EAGAIN when what had the name has been removed. */
static int try_link(int directory, const char *name, const char *target, enum link_policy policy) {
    int error = sys_symlinkat(target, directory, name);

    if (error != -EEXIST || policy == LINK_KEEP || is_link_to(directory, name, target))
        return error == -EEXIST ? 0 : error;
    if (policy == LINK_REFUSE)
        return error;
    error = remove_entry(directory, name);
    return error < 0 ? error : -EAGAIN;
}

int link_make(struct context *c, const char *path, const char *target, enum link_policy policy) {
    char name[NAME_MAX + 1];
    struct place parent;
    int error = path_open_parent(c, path, &parent, name);

    if (error < 0)
        return error;
    error = -EAGAIN;
    for (int i = 0; i < MAX_TRIES && error == -EAGAIN; i++)
        error = try_link(parent.fd, name, target, policy);
    path_close(&parent);
    if (error == -EAGAIN)
        error = -EEXIST;
    return error < 0 ? fail_fault(c, FAULT_DESTINATION, error, path) : 0;
}

int run_symlink(struct context *c, const struct op_symlink *o) {
    return link_make(c, o->path, o->target, o->replace != 0 ? LINK_REPLACE : LINK_KEEP);
}
