/*
 * The first instructions of a program without libc: prepares the stack protector and calls
 * run_program.
 */
#include "start.h"

#include <linux/auxvec.h>

/* The compiler's stack protector compares with this and calls that. */
uintptr_t __stack_chk_guard = 0x595e9fbd94fda766;
_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void) {
    /* A signal, not an exit, shows that something is badly wrong; pid 1 dies of it too. */
    __builtin_trap();
}

/*
 * `stack` is what the kernel leaves for a new program: argc, argv, NULL, environment, NULL,
 * auxiliary vector.
 */
__attribute__((used)) _Noreturn void start(long *stack);

__attribute__((used)) _Noreturn void start(long *stack) {
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    char **env = argv + argc + 1;
    unsigned long *auxiliary = (unsigned long *)env;

    while (*auxiliary != 0)
        auxiliary++;
    for (auxiliary++; auxiliary[0] != AT_NULL; auxiliary += 2)
        if (auxiliary[0] == AT_RANDOM)
            memcpy(&__stack_chk_guard, (void *)auxiliary[1], sizeof(__stack_chk_guard));
    /* A zero byte in the guard ends a string that runs over it. */
    __stack_chk_guard &= ~(uintptr_t)0xff;
    run_program(argc, argv, env);
}

#if defined(__x86_64__)
__asm__(".globl _start\n"
        ".type _start, @function\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call start\n"
        "    hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        ".type _start, %function\n"
        "_start:\n"
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    mov x0, sp\n"
        "    and sp, x0, #-16\n"
        "    bl start\n"
        "    brk #0\n");
#endif
