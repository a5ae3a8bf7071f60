/* SPDX-License-Identifier: Apache-2.0 */
/* Why something failed.
 *
 * A caller owns a `struct err` (usually on its stack, zeroed) and passes its address
 * down; the function that fails fills it once, and callers may put context before the
 * message. An err never holds a secret: neither a credential nor a whole provider answer
 * goes in here. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

struct err {
    int status;        /* HTTP status that the API answers with; 0 counts as 500 */
    char code[64];     /* Nango's error code (contract http-api.md section 1.2), or "" */
    char message[512]; /* for people; always terminated */
};

/* Fills *err (NULL is accepted). Returns false, so that `return err_set(…)` reads well.
 */
bool err_set(struct err *err, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* As err_set() with 500 `server_error`: a fault of ours or of the machine. */
bool err_internal(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A fault of ours, which is nobody's business but that of the server's own log. */
bool err_is_internal(const struct err *err);

/* Puts "<context>: " before the message. Returns false. */
bool err_context(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
