/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this folder share: a real store and vault in a directory of their
 * own, a catalogue with one provider `acme` whose token endpoint is a loopback server,
 * and short ways to say "given" and "expect". */
#ifndef TESTS_UNIT_AUTH_WORLD_H
#define TESTS_UNIT_AUTH_WORLD_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "auth/integration.h"
#include "auth/oauth_flow.h"
#include "auth/refresh.h"
#include "auth/session.h"
#include "base/str.h"
#include "json.h"
#include "test.h"
#include "token_server.h"

#define NOW_MS INT64_C(1705322096789) /* 2024-01-15T12:34:56.789Z */
#define MINUTE_MS INT64_C(60000)
#define DAY_MS (1440 * MINUTE_MS)

struct world {
    char dir[64];
    struct clock clock; /* frozen at NOW_MS until a test moves it */
    struct store *store;
    struct vault *vault;
    struct catalog_holder *catalogs;
    struct policy policy;
    struct auth auth;
    struct refresher *refresher;
    struct token_server server;
    struct environment_row *env;  /* "dev" */
    struct integration_row *acme; /* "acme": client ci-1, cs-1, scopes a,b */
};

void world_begin(struct world *w);
void world_end(struct world *w);
/* Without making anything new: another process's world on the same directory and server.
 */
void world_open(struct world *w, const char *dir, uint16_t port);
void world_close(struct world *w);
struct integration_row *given_integration(struct world *w, const char *key);
struct integration_row *given_integration_of(
    struct world *w, const char *key, const char *provider);
void world_move_clock(struct world *w, int64_t ms);

/* OAUTH2 credentials at-0, rt-0 that expire in `minutes` (0 = never). */
struct connection_row *given_connection(struct world *w, const char *id, int64_t minutes);
struct connection_row *given_credentials(
    struct world *w, const char *id, const char *credentials_json);
/* A failed refresh, counted. */
void given_failure(struct world *w, const struct connection_row *row, const char *holder);
struct connection_row *find_connection(struct world *w, const char *id); /* or NULL */
/* The value of a dotted path in the stored credentials, as text; "" when absent. Kept
 * until the next call. */
const char *stored(struct world *w, const char *id, const char *path);
const char *stored_config(struct world *w, const char *id, const char *path);
size_t journal_entries(struct world *w);

/* One refresh, waited for. */
struct refreshed {
    bool ok;
    struct err err;
    char access_token[80]; /* of the row given back; "" without one */
};
void refresh(
    struct world *w, struct connection_row *row, bool forced, struct refreshed *out);

/* Many refreshes, started now, waited for later. */
struct waiting;
struct waiting *waiting_new(struct world *w);
void refresh_start(struct waiting *waiting, struct connection_row *row, bool forced);
/* Until all that were started have ended. */
void waiting_finish(
    struct waiting *waiting, struct refreshed *last, size_t *succeeded, size_t *failed);

void expect_error(const struct err *err, int status, const char *code);

/* The call's last argument is `&err`; the name is the macro's own. */
#define MUST(call)                                                                       \
    do {                                                                                 \
        _Pragma("GCC diagnostic push");                                                  \
        _Pragma("GCC diagnostic ignored \"-Wshadow\"");                                  \
        struct err err = {0};                                                            \
        if (!(call))                                                                     \
            fail_msg("%s: %s %s", #call, err.code, err.message);                         \
        _Pragma("GCC diagnostic pop");                                                   \
    } while (0)

#endif
