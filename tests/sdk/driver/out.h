/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the answer line: JSON, member by member. `name` is NULL within an array. */
#ifndef DRIVER_OUT_H
#define DRIVER_OUT_H

#include <stdio.h>

#include "nango/nango.h"

struct out {
    FILE *file;
    bool comma;
};

void put_open(struct out *out, const char *name, char bracket);
void put_close(struct out *out, char bracket);
void put_text(struct out *out, const char *name, const char *text); /* NULL gives null */
void put_int(struct out *out, const char *name, int64_t number);
void put_bool(struct out *out, const char *name, bool value);
void put_json(struct out *out, const char *name, const nango_json *value);
/* Text as text, other bytes as {"hex": …}. */
void put_bytes(struct out *out, const char *name, const char *data, size_t len);
/* What an answer holds: its JSON, else its bytes. */
void put_content(struct out *out, const char *name, const nango_response *response);

/* Everything that the getters of a type give, as one object. */
void put_response(struct out *out, const char *name, const nango_response *response);
void put_connection(
    struct out *out, const char *name, const nango_connection *connection);
void put_credentials(
    struct out *out, const char *name, const nango_credentials *credentials);
void put_integration(
    struct out *out, const char *name, const nango_integration *integration);
void put_provider(struct out *out, const char *name, const nango_provider *provider);
void put_record(struct out *out, const char *name, const nango_record *record);
void put_sync_state(struct out *out, const char *name, const nango_sync_state *state);

#endif
