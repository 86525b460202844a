/* Whether this CPU can run the compiled engine. */
#include "launcher.h"

#if defined(__x86_64__)
#include <cpuid.h>

/*
 * The engine is built for x86-64-v2 (2008), and checks at run time for anything newer. On an older
 * CPU, or a virtual one that is like it, the engine would die of an illegal instruction.
 */
bool cpu_runs_engine(void) {
    const unsigned int wanted =
        bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT;
    unsigned int a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & wanted) == wanted;
}
#else
bool cpu_runs_engine(void) {
    return true;
}
#endif
