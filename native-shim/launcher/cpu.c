/* Whether this CPU can run the compiled engine. */
#include "launcher.h"

#if defined(__x86_64__)
#include <cpuid.h>

/*
 * The engine is built for x86-64-v3 (Haswell, 2013): on an older CPU, or one that a virtual machine
 * makes look older, it would die of an illegal instruction.
 */
bool cpu_runs_engine(void) {
    unsigned int a, b, c, d, state;

    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0 || (c & bit_FMA) == 0)
        return false;
    /* The kernel must save the registers of AVX, too: XCR0 has the bits of SSE and AVX. */
    __asm__ volatile("xgetbv" : "=a"(state), "=d"(d) : "c"(0));
    if ((state & 6) != 6)
        return false;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
        return false;
    return (b & bit_AVX2) != 0 && (b & bit_BMI) != 0 && (b & bit_BMI2) != 0;
}
#else
bool cpu_runs_engine(void) {
    return true;
}
#endif
