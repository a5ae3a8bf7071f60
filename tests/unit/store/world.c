/* SPDX-License-Identifier: Apache-2.0 */
/* The store's tests' givens: see world.h. */
#include "world.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

static const struct store_kind kinds[] = {
    {"sqlite", store_open},
};
static const struct store_kind *kind = &kinds[0];

int run_for_each_store(const char *file, const struct CMUnitTest *tests, size_t count)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        kind = &kinds[i];
        print_message("%s: store %s\n", file, kind->name);
        failed += _cmocka_run_group_tests(kind->name, tests, count, NULL, NULL);
    }
    return failed;
}

bool open_store(const struct store_config *config, struct store **out, struct err *err)
{
    return kind->open(config, out, err);
}

/* ---- life ---- */

void world_begin_empty(struct world *w)
{
    const char *tmp = getenv("TMPDIR");

    *w = (struct world){.clock = {.frozen_ms = NOW_MS}};
    (void)snprintf(
        w->dir, sizeof w->dir, "%.30s/nango-store-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(w->dir));
}

void world_open(struct world *w)
{
    struct store_config config = {.data_dir = w->dir, .clock = &w->clock};

    MUST(open_store(&config, &w->store, &err));
}

void world_reopen(struct world *w)
{
    store_close(w->store);
    world_open(w);
}

void world_begin(struct world *w)
{
    world_begin_empty(w);
    world_open(w);
    w->env = given_environment(w, "dev");
    w->github = given_integration(w, w->env, "github");
    w->slack = given_integration(w, w->env, "slack");
}

static int remove_entry(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void world_end(struct world *w)
{
    store_close(w->store);
    environment_row_unref(w->env);
    integration_row_unref(w->github);
    integration_row_unref(w->slack);
    assert_int_equal(nftw(w->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- givens ---- */

struct blob text_blob(const char *text)
{
    return (struct blob){(uint8_t *)(uintptr_t)text, strlen(text)};
}

struct environment_row *given_environment(struct world *w, const char *name)
{
    struct environment_row row = {.name = str_dup(name)};
    struct environment_row *made = NULL;

    crypto_uuid_v4(row.uuid);
    crypto_uuid_v4(row.public_key);
    MUST(store_insert_environment(w->store, &row, &made, &err));
    free(row.name);
    return made;
}

struct integration_row *given_integration(
    struct world *w, const struct environment_row *env, const char *key)
{
    struct integration_row row = {
        .environment_id = env->id,
        .unique_key = str_dup(key),
        .provider = str_dup(key),
        .settings = text_blob("settings"),
    };
    struct integration_row *made = NULL;

    crypto_uuid_v4(row.uid);
    MUST(store_insert_integration(w->store, &row, &made, &err));
    free(row.unique_key);
    free(row.provider);
    return made;
}

static char *borrowed(const char *text)
{
    return (char *)(uintptr_t)text;
}

struct connection_row a_connection(const struct integration_row *of, const char *id)
{
    return (struct connection_row){
        .environment_id = of->environment_id,
        .integration_id = of->id,
        .connection_id = borrowed(id),
        .provider_config_key = of->unique_key,
        .provider = of->provider,
        .auth_type = borrowed("API_KEY"),
        .credentials = text_blob("credentials"),
        .config = text_blob("config"),
        .tags_json = borrowed("{}"),
        .errors_json = borrowed("[]"),
    };
}

struct connection_row *put_connection(struct world *w, const struct connection_row *row)
{
    struct connection_row *made = NULL;
    bool created;

    MUST(store_put_connection(w->store, row, NULL, &created, &made, &err));
    return made;
}

struct connection_row *given_connection(
    struct world *w, const struct integration_row *of, const char *id)
{
    struct connection_row row = a_connection(of, id);

    return put_connection(w, &row);
}

struct connection_row *given_failure(
    struct world *w, int64_t id, const char *holder, int64_t at_ms, const char *log_id)
{
    const struct refresh_failure failure = {
        .connection_id = id, .holder = holder, .now_ms = at_ms, .log_id = log_id};
    struct connection_row *made;
    bool counted;

    MUST(store_note_refresh_failure(w->store, &failure, &counted, &made, &err));
    assert_true(counted);
    return made;
}

struct connection_row *find_connection(
    struct world *w, const struct integration_row *of, const char *id)
{
    struct connection_row *row = NULL;

    MUST(store_find_connection(
        w->store, of->environment_id, of->unique_key, id, &row, &err));
    return row;
}

bool is_there(struct world *w, const struct integration_row *of, const char *id)
{
    struct connection_row *row = find_connection(w, of, id);

    connection_row_unref(row);
    return row != NULL;
}

const uint8_t *hash_of(const char *name, uint8_t out[SHA256_LEN])
{
    crypto_sha256(name, strlen(name), out);
    return out;
}

size_t env_number(const char *name, size_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

char *lend(const char *text)
{
    union {
        const char *in;
        char *out;
    } u = {text};

    return u.out;
}

struct script_put a_script(
    const struct integration_row *of, enum script_kind of_kind, const char *name)
{
    return (struct script_put){
        .integration_id = of->id,
        .kind = of_kind,
        .name = name,
        .spec =
            {
                .version = lend("1"),
                .description = lend("words"),
                .models_json = lend("[\"Item\"]"),
                .endpoints_json = lend("[]"),
                .scopes_json = lend("[]"),
                .runs = of_kind == SCRIPT_SYNC ? lend("every hour") : NULL,
                .sync_type = of_kind == SCRIPT_SYNC ? lend("full") : NULL,
                .auto_start = true,
                .webhook_subscriptions_json = lend("[]"),
                .attributes_json = lend("{}"),
                .features_json = lend("[]"),
                .source = lend("repo"),
            },
        .js = "js of it",
        .ts = "ts of it",
    };
}

struct script_row *deploy_one(struct world *w, const struct script_put *put)
{
    struct script_deploy deploy = {
        .environment_id = w->env->id, .puts = put, .put_count = 1};
    struct script_row **made, *row;

    MUST(store_deploy_scripts(w->store, &deploy, &made, &err));
    row = made[0];
    free(made);
    return row;
}

struct script_row *given_event_script(struct world *w, const struct integration_row *of,
    const char *name, const char *event)
{
    struct script_put put = a_script(of, SCRIPT_ON_EVENT, name);

    put.event = event;
    return deploy_one(w, &put);
}

/* ---- expectations ---- */

void expect_blob(struct blob blob, const char *text)
{
    assert_non_null(blob.data);
    assert_int_equal(blob.len, strlen(text));
    assert_memory_equal(blob.data, text, blob.len);
}

void expect_error(const struct err *err, int status, const char *code)
{
    assert_int_equal(err->status, status);
    assert_string_equal(err->code, code);
    assert_true(err->message[0] != '\0');
}
