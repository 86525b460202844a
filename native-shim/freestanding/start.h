/* The main function of a program without libc. */
#ifndef TSRUN_FREESTANDING_START_H
#define TSRUN_FREESTANDING_START_H

#include "sys.h"

/* Defined by each program; it ends with sys_exit or by executing another program. */
_Noreturn void run_program(int argc, char **argv, char **env);

#endif
