/* SPDX-License-Identifier: Apache-2.0 */
/* How a runner compiled for a sanitizer is to be run. Its environment is emptied (sandbox.c),
 * so that nobody else can say it. Compiled otherwise, this is empty. */
#include "base/sanitized.h"

#if SANITIZED
/* The sanitizers' own names (sanitizer/asan_interface.h, ubsan_interface.h); they look for
 * them in the program. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__ubsan_default_options(void);

/* No leaks: the VM is never taken down, and the tracer would need what the sandbox forbids.
 * The quarantine counts against the memory of the execution, so it is small. */
const char *__asan_default_options(void)
{
    return "detect_leaks=0:quarantine_size_mb=8:allocator_may_return_null=1:exitcode=99";
}

const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1:exitcode=99";
}
#else
typedef int nothing; /* C wants a declaration */
#endif
