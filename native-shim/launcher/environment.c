/* The environment: which of the caller's variables the engine may see. */
#include "launcher.h"

static bool has_prefix(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_one_of(const char *text, const char *const *prefixes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (has_prefix(text, prefixes[i]))
            return true;
    return false;
}

/*
 * Runtimes of JavaScript take options from the environment: code to load first, a different command
 * to be. And the launcher's notes are only the launcher's to write.
 */
static bool is_dropped(const char *variable) {
    static const char *const prefixes[] = {"BUN_", "NODE_", "JSC_", "MIMALLOC_", "TSRUN_"};

    return !has_prefix(variable, "TSRUN_ENGINE=") &&
           has_one_of(variable, prefixes, sizeof prefixes / sizeof prefixes[0]);
}

/*
 * Names of files that the engine would open, or even load, though tsrun has no use for them; any
 * may be a FIFO that is never written to. Likewise the locale: Node dies of one that is a path.
 * Programs that tsrun starts with its own environment get them all the same.
 */
static bool is_hidden(const char *variable) {
    static const char *const names[] = {
        "TZ=",         "TZDIR=",    "OPENSSL_", "SSL_CERT_", "LOCPATH=",
        "GCONV_PATH=", "ICU_DATA=", "LANG=",    "LANGUAGE=", "LC_",
    };

    return has_one_of(variable, names, sizeof names / sizeof names[0]);
}

/* The variable under a name that means nothing to the engine, written to *at, which moves on. */
static char *hide(char **at, const char *variable) {
    char *hidden = *at;
    size_t prefix = strlen(NOTE_HIDDEN), size = strlen(variable) + 1;

    memcpy(hidden, NOTE_HIDDEN, prefix);
    memcpy(hidden + prefix, variable, size);
    *at += prefix + size;
    return hidden;
}

const char *environment_value(char *const *env, const char *name) {
    for (; *env != NULL; env++)
        if (has_prefix(*env, name))
            return *env + strlen(name);
    return NULL;
}

char **engine_environment(char **env, const char *const notes[MAX_NOTES], bool *wants_node) {
    const char *engine = environment_value(env, "TSRUN_ENGINE=");
    size_t count = 0, hidden = 0;
    char **result, *text;

    *wants_node = engine != NULL && has_prefix(engine, "node") && engine[4] == '\0';
    for (; env[count] != NULL; count++)
        if (is_hidden(env[count]))
            hidden += strlen(NOTE_HIDDEN) + strlen(env[count]) + 1;
    /* The notes and the NULL at the end. */
    count += MAX_NOTES + 1;
    result = sys_mmap(count * sizeof *result + hidden, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (sys_is_error(result))
        return NULL;
    text = (char *)(result + count);
    count = 0;
    for (; *env != NULL; env++)
        if (is_hidden(*env))
            result[count++] = hide(&text, *env);
        else if (!is_dropped(*env))
            result[count++] = *env;
    for (size_t i = 0; i < MAX_NOTES; i++)
        if (notes[i] != NULL)
            result[count++] = (char *)notes[i];
    result[count] = NULL;
    return result;
}
