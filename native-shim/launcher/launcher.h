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
#define NOTE_FDS      "TSRUN_FDS="
#define NOTE_CWD_GONE "TSRUN_CWD_GONE=1"
#define MAX_NOTES     3

/*
 * The engine's environment: `env` without what would steer the engine, and with the notes. NULL
 * without memory. `*wants_node` becomes true for TSRUN_ENGINE=node.
 */
char **engine_environment(char **env, const char *const notes[MAX_NOTES], bool *wants_node);

/* The value of `name` ("PATH=", with the equals sign), or NULL. */
const char *environment_value(char *const *env, const char *name);

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
