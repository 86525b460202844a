/*
 * tsrun, the program that users call: prepares the process for the engine and becomes the engine.
 * It has no libc, whose start-up would take as long as all the rest.
 */
#ifndef TSRUN_LAUNCHER_H
#define TSRUN_LAUNCHER_H

#include "text.h"

/* environment.c */

/* What the launcher tells the engine, as environment strings. */
#define NOTE_NOFILE "TSRUN_NOFILE="
#define NOTE_CORE   "TSRUN_CORE="
#define NOTE_FDS    "TSRUN_FDS="
/* Bun would send a report of its crash to its makers. */
#define NOTE_NO_REPORT "BUN_ENABLE_CRASH_REPORTING=0"
/* Otherwise Bun starts one more thread, and waits for it when it exits. */
#define NOTE_ONE_THREAD "BUN_JSC_useWarmUpMarkedBlocks=0"
#define MAX_NOTES       5
/* The prefix of a variable that the engine must not act on. */
#define NOTE_HIDDEN "TSRUN_ENV_"

/*
 * Makes the engine's environment: `env` without what would steer the engine, and the notes. Returns
 * NULL when there is no memory. Sets `*wants_node` for TSRUN_ENGINE=node.
 */
char **engine_environment(char **env, const char *const notes[MAX_NOTES], bool *wants_node);

/* The value of `name` ("PATH=", with the equals sign), or NULL. */
const char *environment_value(char *const *env, const char *name);

/* fail.c */

/* Prints `what` `path` `why` and, unless `error` is 0, its text; exits with status 1. */
_Noreturn void fail(const char *what, const char *path, const char *why, int error);

/* limits.c */

/* The memory that an engine needs to start, in bytes. */
struct needs {
    uint64_t stack;
    uint64_t address_space;
    uint64_t data;
};

extern const struct needs bun_needs, node_needs;

/* Fails when a resource limit is too low for the engine, which would end without a message. */
void check_limits(const struct needs *needs, uint64_t inherited_fds);

/*
 * Forbids core files of the engine: they would hold what root has read. Stores the soft limit in
 * `*before`; returns false when it cannot be read.
 */
bool forbid_core(uint64_t *before);

/* cpu.c */

/* False where the compiled engine would die of an illegal instruction; Node runs everywhere. */
bool cpu_runs_engine(void);

/* line.c */

/* A string in a buffer; `cut` when it did not fit. */
struct line {
    char bytes[PATH_MAX + 256];
    size_t size;
    bool cut;
};

void add_bytes(struct line *line, const char *bytes, size_t size);
void add_string(struct line *line, const char *string);
void add_number(struct line *line, uint64_t number);

#endif
