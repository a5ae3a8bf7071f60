/* SPDX-License-Identifier: Apache-2.0 */
/* TypeScript to what runners load: by esbuild, started behind walls (runner/tool.h).
 *
 *   code ─► stdin of nango-runner --tool … esbuild ─► stdout: CommonJS with a source map
 *                                                  └► stderr: what is wrong, and where
 *
 * One file at a time, and no other is read: what it imports becomes require(), which knows
 * the modules that scripts have. Types are taken away, not checked. */
#ifndef SCRIPTS_COMPILE_H
#define SCRIPTS_COMPILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct compiler {
    const char *runner;  /* nango-runner; NULL = there is none */
    const char *esbuild; /* NULL = there is none */
    int64_t timeout_ms;
    int64_t memory_mb;
    size_t max_output;
    atomic_bool *cancelled; /* set by others to end what goes on; NULL */
};

/* Where esbuild is: `given` if that says something, else in the PATH. The caller frees;
 * NULL when there is none. */
char *compiler_find_esbuild(const char *given);

struct compile_fault {
    struct err err;
    int line; /* 0 = unknown, as is column */
    int column;
};

/* Appends the compiled code to `out`. `file`: the name that places are told by. Blocks;
 * any thread but a reactor's. 400 `compilation_error`; 504 `timeout`; 503
 * `execution_environment_unavailable` when the compiler is not there. */
bool compiler_run(const struct compiler *compiler, const char *code, size_t len,
    const char *file, struct buf *out, struct compile_fault *fault);

/* A line `    FILE:LINE:COLUMN:` of what esbuild says: the length of what is before the colons, 0 when
 * it is none. *column counts bytes from 1. */
size_t compile_read_place(const char *line, size_t len, int *row, int *column);
/* Reads what esbuild says into a fault's message, line and column. For tests as well. */
void compile_read_messages(const char *text, struct compile_fault *fault);

#endif
