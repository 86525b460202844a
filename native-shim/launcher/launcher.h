/*
 * tsrun, the program users call: prepares the process for the engine and becomes it. No libc: its
 * start-up would cost as much again.
 */
#ifndef TSRUN_LAUNCHER_H
#define TSRUN_LAUNCHER_H

#include "../init/sys.h"

/* access(2); kernel headers do not have it. */
#define R_OK 4

/* environment.c */

/* What the launcher tells the engine, as environment strings. */
#define NOTE_NOFILE   "TSRUN_NOFILE="
#define NOTE_CORE     "TSRUN_CORE="
#define NOTE_FDS      "TSRUN_FDS="
#define NOTE_CWD_GONE "TSRUN_CWD_GONE=1"
/* Bun would send a report of its crash to those who make it. */
#define NOTE_NO_REPORT "BUN_ENABLE_CRASH_REPORTING=0"
/* Without this option of the engine it has a thread more, whose end it has to wait for at its own.
 */
#define NOTE_ONE_THREAD "BUN_JSC_useWarmUpMarkedBlocks=0"
#define MAX_NOTES       6
/* In front of a variable that the engine must not act on. */
#define NOTE_HIDDEN "TSRUN_ENV_"

/*
 * The engine's environment: `env` without what would steer the engine, and with the notes. NULL
 * without memory. `*wants_node` becomes true for TSRUN_ENGINE=node.
 */
char **engine_environment(char **env, const char *const notes[MAX_NOTES], bool *wants_node);

/* The value of `name` ("PATH=", with the equals sign), or NULL. */
const char *environment_value(char *const *env, const char *name);

/* fail.c */

/* Says `what` `path` `why` and, unless `error` is 0, that -errno in words; exits with status 1. */
_Noreturn void fail(const char *what, const char *path, const char *why, int error);

/* limits.c */

/* What an engine must have to start, in bytes. */
struct needs {
    uint64_t stack;
    uint64_t address_space;
    uint64_t data;
};

/* Of Bun and of Node. */
extern const struct needs bun_needs, node_needs;

/* Fails when a resource limit is too low for the engine, which would end without saying so. */
void check_limits(const struct needs *needs, uint64_t inherited_fds);

/*
 * No core of the engine: it would hold what root has read. The soft limit there was goes to
 * `*before`; false when it could not be asked for.
 */
bool forbid_core(uint64_t *before);

/* cpu.c */

/* False where the compiled engine would die of an illegal instruction; Node chooses at run time. */
bool cpu_runs_engine(void);

/* text.c */

/* A string in a buffer; `cut` when it did not fit. */
struct text {
    char bytes[PATH_MAX + 256];
    size_t size;
    bool cut;
};

void text_add(struct text *text, const char *more, size_t size);
void text_add_string(struct text *text, const char *more);
void text_add_number(struct text *text, uint64_t number);

#endif
