/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's tests share: a store in a directory of its own, with an environment
 * and an integration in it, and short ways to say "given" and "expect".
 *
 * The suite speaks store.h only and runs once for each implementation
 * (RUN_FOR_EACH_STORE). */
#ifndef TESTS_UNIT_STORE_WORLD_H
#define TESTS_UNIT_STORE_WORLD_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/store.h"
#include "test.h"

#define NOW_MS INT64_C(1700000000000)
#define DAY_MS INT64_C(86400000)

struct store_kind {
    const char *name;
    bool (*open)(const struct store_config *config, struct store **out, struct err *err);
};

struct world {
    char dir[64];
    struct clock clock; /* frozen at NOW_MS until a test moves it */
    struct store *store;
    struct environment_row *env;    /* "dev" */
    struct integration_row *github; /* "github" in it */
    struct integration_row *slack;  /* "slack" in it */
};

void world_begin(struct world *w);       /* all of the above */
void world_begin_empty(struct world *w); /* directory and clock only */
void world_end(struct world *w);
void world_open(struct world *w);
void world_reopen(struct world *w);
/* By the kind under test. */
bool open_store(const struct store_config *config, struct store **out, struct err *err);

struct blob text_blob(const char *text); /* borrows */
void expect_blob(struct blob blob, const char *text);
void expect_error(const struct err *err, int status, const char *code);

struct environment_row *given_environment(struct world *w, const char *name);
struct integration_row *given_integration(
    struct world *w, const struct environment_row *env, const char *key);
/* API_KEY, credentials "c-<id>", no end user. */
struct connection_row *given_connection(
    struct world *w, const struct integration_row *of, const char *id);
/* For changing before put_connection(). Borrows the texts. */
struct connection_row a_connection(const struct integration_row *of, const char *id);
struct connection_row *put_connection(struct world *w, const struct connection_row *row);
/* A failed refresh of whatever credentials there are, counted; the row after it. */
struct connection_row *given_failure(
    struct world *w, int64_t id, const char *holder, int64_t at_ms, const char *log_id);
/* NULL when there is none. */
struct connection_row *find_connection(
    struct world *w, const struct integration_row *of, const char *id);
bool is_there(struct world *w, const struct integration_row *of, const char *id);
/* For changing before deploy_one(). Borrows the texts. */
struct script_put a_script(
    const struct integration_row *of, enum script_kind kind, const char *name);
/* The same text, for fields that are not const. */
char *lend(const char *text);
struct script_row *deploy_one(struct world *w, const struct script_put *put);
struct script_row *given_event_script(struct world *w, const struct integration_row *of,
    const char *name, const char *event);
/* A SHA-256 of that name. */
const uint8_t *hash_of(const char *name, uint8_t out[SHA256_LEN]);
size_t env_number(const char *name, size_t otherwise);

int run_for_each_store(const char *file, const struct CMUnitTest *tests, size_t count);
#define RUN_FOR_EACH_STORE(tests)                                                        \
    run_for_each_store(__FILE__, tests, sizeof(tests) / sizeof(tests)[0])

#define MUST(call)                                                                       \
    do {                                                                                 \
        struct err err = {0};                                                            \
        if (!(call))                                                                     \
            fail_msg("%s: %s %s", #call, err.code, err.message);                         \
    } while (0)

#endif
