/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 4 over a canonical request whose parts the caller has prepared
 * (AWS General Reference, "Create a signed AWS API request"). */
#ifndef CATALOG_SIGV4_H
#define CATALOG_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SIGV4_DATE_SIZE 17

struct sigv4_header {
    const char *name; /* lower case */
    const char *value;
};
struct sigv4_input {
    const char *access_key;
    const char *secret_key;
    const char *region;
    const char *service;
    const char *date; /* sigv4_date() */
    const char *method;
    const char *path; /* as sent */
    bool path_as_is;  /* never encoded again: what `${awsSigV4()}` means */
    const char *canonical_query;
    const struct sigv4_header *headers; /* sorted by name */
    size_t header_count;
    const char *payload_hash; /* hex, or UNSIGNED-PAYLOAD */
};

/* 20240115T123456Z */
void sigv4_date(int64_t now_ms, char out[SIGV4_DATE_SIZE]);
/* Appends the value of the Authorization header. */
void sigv4_authorization(const struct sigv4_input *input, struct buf *out);

#endif
