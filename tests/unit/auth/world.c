/* SPDX-License-Identifier: Apache-2.0 */
/* The auth tests' givens: see world.h. */
#include "world.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pool.h"
#include "net/upstream.h"

static const uint8_t kek[VAULT_KEY_LEN] = "thirty-two bytes for these tests";

/* Every test's provider. */
static char *catalogue(uint16_t port)
{
    return str_printf("acme:\n"
                      "    display_name: Acme\n"
                      "    categories:\n"
                      "        - dev-tools\n"
                      "    auth_mode: OAUTH2\n"
                      "    authorization_url: http://127.0.0.1:%u/authorize\n"
                      "    token_url: http://127.0.0.1:%u/token\n"
                      "    token_response_metadata:\n"
                      "        - team.id\n"
                      "        - place\n"
                      "    redirect_uri_metadata:\n"
                      "        - place\n"
                      "        - shop\n"
                      "    proxy:\n"
                      "        base_url: http://127.0.0.1:%u\n"
                      "    docs: https://acme.example.test/docs\n"
                      "salesforce:\n"
                      "    alias: acme\n"
                      "acme-needy:\n"
                      "    alias: acme\n"
                      "    token_params:\n"
                      "        resource: ${connectionConfig.area}\n"
                      "acme-key:\n"
                      "    display_name: Acme by key\n"
                      "    categories:\n"
                      "        - dev-tools\n"
                      "    auth_mode: API_KEY\n"
                      "    proxy:\n"
                      "        base_url: http://127.0.0.1:%u\n"
                      "    docs: https://acme.example.test/docs\n",
        port, port, port, port);
}

static void load_catalogue(struct world *w, uint16_t port)
{
    char *text = catalogue(port);
    struct catalog_source source = {.extra_yaml = text};
    struct catalog *catalog = NULL;

    MUST(catalog_load(&source, &catalog, &err));
    w->catalogs = catalog_holder_new(catalog);
    free(text);
}

static void open_vault(struct world *w)
{
    struct store_key *keys = NULL;
    size_t count = 0;
    struct vault_ring_entry entry;

    MUST(store_list_keys(w->store, &keys, &count, &err));
    if (count == 0) {
        struct buf wrapped;

        buf_init(&wrapped, 0);
        MUST(vault_new_key(kek, 1, &wrapped, &err));
        MUST(store_put_key(w->store, 1, wrapped.data, wrapped.len, &err));
        buf_finish(&wrapped);
        MUST(store_list_keys(w->store, &keys, &count, &err));
    }
    entry = (struct vault_ring_entry){
        keys[0].number, keys[0].wrapped.data, keys[0].wrapped.len};
    MUST(vault_open(kek, &entry, 1, &w->vault, &err));
    store_keys_free(keys, count);
}

void world_open(struct world *w, const char *dir, uint16_t port)
{
    struct store_config config = {.data_dir = dir, .clock = &w->clock};

    if (w->clock.frozen_ms == 0)
        w->clock.frozen_ms = NOW_MS;
    up_global_init();
    MUST(store_open(&config, &w->store, &err));
    open_vault(w);
    load_catalogue(w, port);
    policy_init(&w->policy, true);
    w->auth = (struct auth){
        .store = w->store,
        .vault = w->vault,
        .catalogs = w->catalogs,
        .clock = &w->clock,
        .policy = &w->policy,
        .proxy_policy = &w->policy,
        .public_url = "https://nango.example.test",
        .outbound = pool_new("outbound", 4),
        .token_timeout_ms = 5000,
    };
    w->refresher = refresher_new(&w->auth);
}

void world_close(struct world *w)
{
    pool_stop(w->auth.outbound);
    refresher_free(w->refresher);
    pool_free(w->auth.outbound);
    catalog_holder_free(w->catalogs);
    policy_finish(&w->policy);
    vault_free(w->vault);
    store_close(w->store);
}

static struct environment_row *given_environment(struct world *w)
{
    struct environment_row row = {.name = str_dup("dev")};
    struct environment_row *made = NULL;

    crypto_uuid_v4(row.uuid);
    crypto_uuid_v4(row.public_key);
    MUST(store_insert_environment(w->store, &row, &made, &err));
    free(row.name);
    return made;
}

struct integration_row *given_integration_of(
    struct world *w, const char *key, const char *provider)
{
    struct integration_row row = {
        .environment_id = w->env->id,
        .unique_key = str_dup(key),
        .provider = str_dup(provider),
    };
    cJSON *settings =
        json_of("{\"oauth_client_id\":\"ci-1\",\"oauth_client_secret\":\"cs-1\","
                "\"oauth_scopes\":\"a,b\"}");
    struct integration_row *made = NULL;

    crypto_uuid_v4(row.uid);
    MUST(integration_seal(&w->auth, row.uid, settings, &row.settings, &err));
    MUST(store_insert_integration(w->store, &row, &made, &err));
    cJSON_Delete(settings);
    free(row.settings.data);
    free(row.unique_key);
    free(row.provider);
    return made;
}

struct integration_row *given_integration(struct world *w, const char *key)
{
    return given_integration_of(w, key, key);
}

void world_begin(struct world *w)
{
    const char *tmp = getenv("TMPDIR");

    memset(w, 0, sizeof *w);
    (void)snprintf(
        w->dir, sizeof w->dir, "%.30s/nango-auth-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    token_server_start(&w->server);
    world_open(w, w->dir, w->server.port);
    w->env = given_environment(w);
    w->acme = given_integration(w, "acme");
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
    environment_row_unref(w->env);
    integration_row_unref(w->acme);
    token_server_holds(&w->server, false);
    world_close(w);
    token_server_stop(&w->server);
    assert_int_equal(nftw(w->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void world_move_clock(struct world *w, int64_t ms)
{
    w->clock.frozen_ms += ms;
}

struct connection_row *given_credentials(
    struct world *w, const char *id, const char *credentials_json)
{
    cJSON *credentials = json_of(credentials_json);
    struct connection_put put = {
        .environment_id = w->env->id,
        .integration = w->acme,
        .connection_id = id,
        .credentials = credentials,
    };
    struct connection connection;
    struct connection_row *row;
    bool created;

    MUST(connection_put(&w->auth, &put, &created, &connection, &err));
    row = connection.row;
    connection_row_ref(row);
    connection_finish(&connection);
    cJSON_Delete(credentials);
    return row;
}

struct connection_row *given_connection(struct world *w, const char *id, int64_t minutes)
{
    char at[CLOCK_TEXT_SIZE], text[300];

    clock_text_z(w->clock.frozen_ms + minutes * MINUTE_MS, at);
    (void)snprintf(text, sizeof text,
        "{\"type\":\"OAUTH2\",\"access_token\":\"at-0\",\"refresh_token\":\"rt-0\","
        "\"raw\":{\"access_token\":\"at-0\"}%s%s%s}",
        minutes != 0 ? ",\"expires_at\":\"" : "", minutes != 0 ? at : "",
        minutes != 0 ? "\"" : "");
    return given_credentials(w, id, text);
}

void given_failure(struct world *w, const struct connection_row *row, const char *holder)
{
    const struct refresh_failure failure = {.connection_id = row->id,
        .holder = holder,
        .now_ms = w->clock.frozen_ms,
        .log_id = "log"};
    struct connection_row *noted = NULL;
    bool counted;

    MUST(store_note_refresh_failure(w->store, &failure, &counted, &noted, &err));
    assert_true(counted);
    connection_row_unref(noted);
}

struct connection_row *find_connection(struct world *w, const char *id)
{
    struct connection_row *row = NULL;

    MUST(
        store_find_connection(w->store, w->env->id, w->acme->unique_key, id, &row, &err));
    return row;
}

static const char *path_text(const cJSON *object, const char *path)
{
    static char text[400];
    const cJSON *value = json_path(object, path);
    char *printed;

    text[0] = '\0';
    if (value == NULL)
        return text;
    if (cJSON_IsString(value)) {
        str_copy(text, sizeof text, value->valuestring);
        return text;
    }
    printed = json_print(value);
    str_copy(text, sizeof text, printed);
    free(printed);
    return text;
}

const char *stored(struct world *w, const char *id, const char *path)
{
    struct connection connection;
    const char *text;

    MUST(connection_load(
        &w->auth, w->env->id, w->acme->unique_key, id, &connection, &err));
    text = path_text(connection.credentials, path);
    connection_finish(&connection);
    return text;
}

const char *stored_config(struct world *w, const char *id, const char *path)
{
    struct connection connection;
    const char *text;

    MUST(connection_load(
        &w->auth, w->env->id, w->acme->unique_key, id, &connection, &err));
    text = path_text(connection.config, path);
    connection_finish(&connection);
    return text;
}

size_t journal_entries(struct world *w)
{
    struct refresh_journal_row *rows = NULL;
    size_t count = 0;

    MUST(store_list_refresh_journal(w->store, 0, &rows, &count, &err));
    store_refresh_journal_free(rows, count);
    return count;
}

/* ---- refreshing ---- */

struct waiting {
    struct world *w;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t started, succeeded, failed;
    struct refreshed last;
};

struct waiting *waiting_new(struct world *w)
{
    struct waiting *waiting = MEM_NEW(struct waiting);

    waiting->w = w;
    pthread_mutex_init(&waiting->lock, NULL);
    pthread_cond_init(&waiting->changed, NULL);
    return waiting;
}

static void refresh_done(void *arg, const struct refresh_result *result)
{
    struct waiting *waiting = arg;
    struct refreshed last = {.ok = result->ok, .err = result->err};

    if (result->row != NULL) {
        struct connection connection;
        struct err err = {0};

        connection_row_ref(result->row);
        if (connection_open(&waiting->w->auth, result->row, &connection, &err)) {
            const char *token = json_str(connection.credentials, "access_token");

            str_copy(
                last.access_token, sizeof last.access_token, token != NULL ? token : "");
            connection_finish(&connection);
        }
    }
    pthread_mutex_lock(&waiting->lock);
    waiting->last = last;
    if (result->ok)
        waiting->succeeded++;
    else
        waiting->failed++;
    pthread_cond_broadcast(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

void refresh_start(struct waiting *waiting, struct connection_row *row, bool forced)
{
    pthread_mutex_lock(&waiting->lock);
    waiting->started++;
    pthread_mutex_unlock(&waiting->lock);
    refresher_run(waiting->w->refresher, row, forced, refresh_done, waiting);
}

void waiting_finish(
    struct waiting *waiting, struct refreshed *last, size_t *succeeded, size_t *failed)
{
    pthread_mutex_lock(&waiting->lock);
    while (waiting->succeeded + waiting->failed < waiting->started)
        pthread_cond_wait(&waiting->changed, &waiting->lock);
    pthread_mutex_unlock(&waiting->lock);
    if (last != NULL)
        *last = waiting->last;
    if (succeeded != NULL)
        *succeeded = waiting->succeeded;
    if (failed != NULL)
        *failed = waiting->failed;
    pthread_cond_destroy(&waiting->changed);
    pthread_mutex_destroy(&waiting->lock);
    free(waiting);
}

void refresh(
    struct world *w, struct connection_row *row, bool forced, struct refreshed *out)
{
    struct waiting *waiting = waiting_new(w);

    refresh_start(waiting, row, forced);
    waiting_finish(waiting, out, NULL, NULL);
}

void expect_error(const struct err *err, int status, const char *code)
{
    assert_string_equal(err->code, code);
    assert_int_equal(err->status, status);
}
