/* The environment: which of the caller's variables the engine may see. */
#include "launcher.h"

static bool has_one_of(const char *text, const char *const *prefixes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (starts_with(text, prefixes[i]))
            return true;
    return false;
}

/*
 * JavaScript engines take options from these variables, such as code to load first. Only the
 * launcher may write its notes.
 */
static bool is_dropped(const char *variable) {
    static const char *const prefixes[] = {"BUN_", "NODE_", "JSC_", "MIMALLOC_", "TSRUN_"};

    return !starts_with(variable, "TSRUN_ENGINE=") &&
           has_one_of(variable, prefixes, sizeof(prefixes) / sizeof(prefixes[0]));
}

/*
 * Variables that name files which the engine would open or load. tsrun does not need them, and a
 * file may be a FIFO that nobody writes to. Node ends when the locale is a path. Programs that
 * tsrun starts with its own environment get them under their own names.
 */
static bool is_hidden(const char *variable) {
    static const char *const names[] = {
        "TZ=",         "TZDIR=",    "OPENSSL_", "SSL_CERT_", "LOCPATH=",
        "GCONV_PATH=", "ICU_DATA=", "LANG=",    "LANGUAGE=", "LC_",
    };

    return has_one_of(variable, names, sizeof(names) / sizeof(names[0]));
}

/* Writes the variable to *at under a name that the engine does not know, and moves *at on. */
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
        if (starts_with(*env, name))
            return *env + strlen(name);
    return NULL;
}

char **engine_environment(char **env, const char *const notes[MAX_NOTES], bool *wants_node) {
    const char *engine = environment_value(env, "TSRUN_ENGINE=");
    size_t count = 0, hidden = 0;
    char **result, *text;

    *wants_node = engine != NULL && starts_with(engine, "node") && engine[4] == '\0';
    for (; env[count] != NULL; count++)
        if (is_hidden(env[count]))
            hidden += strlen(NOTE_HIDDEN) + strlen(env[count]) + 1;
    /* The notes and the NULL at the end. */
    count += MAX_NOTES + 1;
    result = sys_mmap(count * sizeof(*result) + hidden, PROT_READ | PROT_WRITE,
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
