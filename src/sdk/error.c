/* SPDX-License-Identifier: Apache-2.0 */
/* The error struct and its codes' names. */
#include <stdio.h>
#include <string.h>

#include "sdk/sdk_int.h"

static const char *const names[] = {
    [NANGO_OK] = "NANGO_OK",
    [NANGO_E_ARGUMENT] = "NANGO_E_ARGUMENT",
    [NANGO_E_MEMORY] = "NANGO_E_MEMORY",
    [NANGO_E_STATE] = "NANGO_E_STATE",
    [NANGO_E_RESOLVE] = "NANGO_E_RESOLVE",
    [NANGO_E_CONNECT] = "NANGO_E_CONNECT",
    [NANGO_E_TLS] = "NANGO_E_TLS",
    [NANGO_E_TIMEOUT] = "NANGO_E_TIMEOUT",
    [NANGO_E_NETWORK] = "NANGO_E_NETWORK",
    [NANGO_E_TRUNCATED] = "NANGO_E_TRUNCATED",
    [NANGO_E_TOO_LARGE] = "NANGO_E_TOO_LARGE",
    [NANGO_E_CANCELLED] = "NANGO_E_CANCELLED",
    [NANGO_E_HTTP] = "NANGO_E_HTTP",
    [NANGO_E_PARSE] = "NANGO_E_PARSE",
};

const char *nango_code_name(nango_code code)
{
    size_t index = (size_t)code;

    return index < sizeof names / sizeof names[0] ? names[index] : "NANGO_E_UNKNOWN";
}

const char *nango_version(void)
{
    return NANGO_VERSION;
}

void ngo_error_clear(nango_error *err)
{
    if (err == NULL)
        return;
    memset(err, 0, sizeof *err);
    err->retry_after_s = -1;
}

nango_code ngo_error_set(nango_error *err, nango_code code, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    ngo_error_clear(err);
    err->code = code;
    va_start(args, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return code;
}
