/* The environment: which of the caller's variables the engine may see. */
#include "launcher.h"

static bool has_prefix(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * Runtimes of JavaScript take options from the environment: code to load first, a different command
 * to be. And the launcher's notes are only the launcher's to write.
 */
static bool is_dropped(const char *variable) {
    static const char *const prefixes[] = {"BUN_", "NODE_", "JSC_", "MIMALLOC_", "TSRUN_"};

    if (has_prefix(variable, "TSRUN_ENGINE="))
        return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (has_prefix(variable, prefixes[i]))
            return true;
    return false;
}

const char *environment_value(char *const *env, const char *name) {
    for (; *env != NULL; env++)
        if (has_prefix(*env, name))
            return *env + strlen(name);
    return NULL;
}

char **engine_environment(char **env, const char *const notes[MAX_NOTES], bool *wants_node) {
    const char *engine = environment_value(env, "TSRUN_ENGINE=");
    size_t count = 0;
    char **result;

    *wants_node = engine != NULL && has_prefix(engine, "node") && engine[4] == '\0';
    while (env[count] != NULL)
        count++;
    /* The notes and the NULL at the end. */
    result = sys_mmap((count + MAX_NOTES + 1) * sizeof *result, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (sys_is_error(result))
        return NULL;
    count = 0;
    for (; *env != NULL; env++)
        if (!is_dropped(*env))
            result[count++] = *env;
    for (size_t i = 0; i < MAX_NOTES; i++)
        if (notes[i] != NULL)
            result[count++] = (char *)notes[i];
    result[count] = NULL;
    return result;
}
