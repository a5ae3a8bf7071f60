/* SPDX-License-Identifier: Apache-2.0 */
/* Filling and extending a struct err. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void err_vset(struct err *err, int status, const char *code, const char *fmt,
    va_list args) __attribute__((format(printf, 4, 0)));

static void err_vset(
    struct err *err, int status, const char *code, const char *fmt, va_list args)
{
    err->status = status;
    snprintf(err->code, sizeof err->code, "%s", code != NULL ? code : "");
    vsnprintf(err->message, sizeof err->message, fmt, args);
}

bool err_set(struct err *err, int status, const char *code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;

        va_start(args, fmt);
        err_vset(err, status, code, fmt, args);
        va_end(args);
    }
    return false;
}

bool err_internal(struct err *err, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;

        va_start(args, fmt);
        err_vset(err, 500, "server_error", fmt, args);
        va_end(args);
    }
    return false;
}

bool err_context(struct err *err, const char *fmt, ...)
{
    if (err != NULL) {
        char rest[sizeof err->message];
        va_list args;
        size_t used;

        memcpy(rest, err->message, sizeof rest);
        va_start(args, fmt);
        vsnprintf(err->message, sizeof err->message, fmt, args);
        va_end(args);
        used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ": %s", rest);
    }
    return false;
}

bool err_is_internal(const struct err *err)
{
    return err->status == 0 || err->status == 500 || err->code[0] == '\0';
}
