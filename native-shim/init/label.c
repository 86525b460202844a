/* Security modules: the profile or label of the process from execve on, and labels of files. */
#include "init.h"
#include "path.h"

static const char selinux_attribute[] = "security.selinux";

/*
 * AppArmor has its own directory in attr. Older kernels have only the files beside it, which all
 * modules share: the first module that wants them gets them.
 */
int run_apparmor_profile(struct context *c, const struct op_apparmor_profile *o) {
    char command[PATH_MAX] = "exec ";
    int error = append_text(command, sizeof(command), o->profile);

    if (error < 0)
        return fail(c, error, o->profile);
    error = proc_write(c, "self/attr/apparmor/exec", command, strlen(command));
    if (error == -ENOENT && proc_missing(c, "self/attr/apparmor/exec"))
        error = proc_write(c, "self/attr/exec", command, strlen(command));
    return error < 0 ? fail(c, error, o->profile) : 0;
}

int run_selinux_label(struct context *c, const struct op_selinux_label *o) {
    char path[64] = "self/attr/";
    int error = append_text(path, sizeof(path), o->attribute);

    if (error == 0)
        error = proc_write(c, path, o->label, strlen(o->label));
    return error < 0 ? fail(c, error, o->label) : 0;
}

int run_mount_label(struct context *c, const struct op_mount_label *o) {
    c->mount_label = o->label;
    return 0;
}

int label_file(struct context *c, int fd) {
    if (c->mount_label == NULL)
        return 0;
    return sys_fsetxattr(fd, selinux_attribute, c->mount_label, strlen(c->mount_label), 0);
}

int run_file_label(struct context *c, const struct op_file_label *o) {
    cleanup_place struct place at;
    cleanup_close int fd = -1;
    int error = path_open(c, o->path, 0, &at);

    if (error < 0)
        return error;
    /* An O_PATH descriptor cannot set attributes. */
    error = fd = sys_openat(at.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (error >= 0)
        error = sys_fsetxattr(fd, selinux_attribute, o->label, strlen(o->label), 0);
    return error < 0 ? fail(c, error, o->label) : 0;
}
