/* SPDX-License-Identifier: Apache-2.0 */
/* Connections with their secrets opened, and writing them. What can fail: an unknown
 * connection (404), an unreadable expiry (400), a damaged row or the store (500). */
#include "auth/connection.h"

#include <stdlib.h>
#include <string.h>

#include "auth/auth_tell.h"
#include "auth/gate.h"
#include "auth/sealed_json.h"
#include "base/json.h"
#include "base/str.h"

/* Between reading a config and storing the new one it can change so many times. */
#define PUT_TRIES 100

/* sealed_json_open() or its variant. */
typedef bool open_sealed(const struct auth *auth, const char *context,
    const struct blob *sealed, cJSON **out, struct err *err);

static bool column_open(const struct auth *auth, const struct connection_row *row,
    const char *column, open_sealed *open, const struct blob *sealed, cJSON **out,
    struct err *err)
{
    char context[CONTEXT_SIZE];

    connection_context(
        context, row->environment_id, row->integration_id, row->connection_id, column);
    if (open(auth, context, sealed, out, err))
        return true;
    return err_context(err, "%s of connection row %lld", column, (long long)row->id);
}

bool connection_open_credentials(const struct auth *auth, struct connection_row *row,
    struct connection *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    out->row = row;
    if (column_open(auth, row, "credentials", sealed_json_open_without_raw,
            &row->credentials, &out->credentials, err))
        return true;
    connection_finish(out);
    return false;
}

bool connection_open(const struct auth *auth, struct connection_row *row,
    struct connection *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    out->row = row;
    if (column_open(auth, row, "credentials", sealed_json_open, &row->credentials,
            &out->credentials, err) &&
        column_open(
            auth, row, "config", sealed_json_open, &row->config, &out->config, err))
        return true;
    connection_finish(out);
    return false;
}

static bool is_named(const struct connection_row *row, int64_t environment_id,
    const char *provider_config_key, const char *connection_id)
{
    return row->environment_id == environment_id &&
           str_eq(row->provider_config_key, provider_config_key) &&
           str_eq(row->connection_id, connection_id);
}

bool connection_find(const struct auth *auth, int64_t environment_id, int64_t held_id,
    const char *provider_config_key, const char *connection_id,
    struct connection_row **out, struct err *err)
{
    *out = NULL;
    if (held_id != 0 && !store_reload_connection(auth->store, held_id, out, err))
        return false;
    if (*out != NULL &&
        is_named(*out, environment_id, provider_config_key, connection_id))
        return true;
    connection_row_unref(*out);
    return store_find_connection(
        auth->store, environment_id, provider_config_key, connection_id, out, err);
}

bool connection_load(const struct auth *auth, int64_t environment_id,
    const char *provider_config_key, const char *connection_id, struct connection *out,
    struct err *err)
{
    struct connection_row *row = NULL;

    memset(out, 0, sizeof *out);
    if (!store_find_connection(
            auth->store, environment_id, provider_config_key, connection_id, &row, err))
        return false;
    if (row == NULL)
        return err_set(err, 404, "not_found", "Failed to find connection");
    return connection_open(auth, row, out, err);
}

void connection_finish(struct connection *connection)
{
    connection_row_unref(connection->row);
    cJSON_Delete(connection->credentials);
    cJSON_Delete(connection->config);
    memset(connection, 0, sizeof *connection);
}

static char *object_text(const cJSON *object)
{
    return object != NULL ? json_print(object) : NULL;
}

/* Dates are shown in one spelling whatever the importer wrote. */
static bool expiry_normalise(
    cJSON *credentials, int64_t now_ms, int64_t *expires_at_ms, struct err *err)
{
    const cJSON *value = json_get(credentials, "expires_at");
    char text[CLOCK_TEXT_SIZE];

    if (!credentials_expiry(credentials, now_ms, expires_at_ms))
        return err_set(err, 400, "invalid_expires_at", "expires_at is not a date");
    /* 0 is the row's word for "never": the first instant of 1970 becomes the second */
    if (*expires_at_ms == 0 && token_expiry_parse(value, now_ms, expires_at_ms))
        *expires_at_ms = 1;
    if (*expires_at_ms == 0) {
        json_remove(credentials, "expires_at");
        return true;
    }
    clock_text_z(*expires_at_ms, text);
    json_set_str(credentials, "expires_at", text);
    return true;
}

void connection_config_lay(cJSON *into, const cJSON *over)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, over)
    {
        bool empty = cJSON_IsString(item) && item->valuestring[0] == '\0';

        if (!empty || json_get(into, item->string) == NULL)
            json_set(into, item->string, cJSON_Duplicate(item, true));
    }
}

/* The config to store: what is put, laid over that of the connection that is authorized
 * again. `was` gets that one's row, NULL = none. */
static bool config_make(const struct auth *auth, const struct connection_put *put,
    cJSON **config, struct connection_row **was, struct err *err)
{
    *config = NULL;
    *was = NULL;
    if (put->reconnect_id == 0) {
        *config = put->config != NULL ? cJSON_Duplicate(put->config, true)
                                      : cJSON_CreateObject();
        return true;
    }
    if (!store_reload_connection(auth->store, put->reconnect_id, was, err))
        return false;
    if (*was == NULL)
        return err_set(err, 404, "unknown_connection", "the connection does not exist");
    if (!column_open(
            auth, *was, "config", sealed_json_open, &(*was)->config, config, err))
        return false;
    json_remove(*config, "overrideTokenRefresh"); /* told of the old credentials */
    connection_config_lay(*config, put->config);
    return true;
}

/* What there is to store, and how. */
struct putting {
    const struct connection_put *put;
    struct connection_row row; /* what it is put from */
    struct put_terms terms;
    bool created;
};

/* Seals the config and stores. 409 `stale_connection`: once more. */
static bool put_once(const struct auth *auth, struct putting *work,
    struct connection_row **stored, struct err *err)
{
    const struct connection_put *put = work->put;
    struct connection_row *row = &work->row;
    struct connection_row *was;
    cJSON *config;
    char context[CONTEXT_SIZE];
    bool ok;

    connection_context(
        context, row->environment_id, row->integration_id, row->connection_id, "config");
    ok = config_make(auth, put, &config, &was, err);
    work->terms.config = was != NULL ? &was->config : NULL;
    ok =
        ok && sealed_json_write(auth, context, config, &row->config, err) &&
        store_put_connection(auth->store, row, &work->terms, &work->created, stored, err);
    cJSON_Delete(config);
    connection_row_unref(was);
    free(row->config.data);
    row->config = (struct blob){0};
    return ok;
}

/* The row as it is then, or NULL. */
static struct connection_row *put_row(
    const struct auth *auth, struct putting *work, struct err *err)
{
    struct connection_row *stored = NULL;

    for (int i = 0; i < PUT_TRIES && stored == NULL; i++) {
        if (!put_once(auth, work, &stored, err) && !str_eq(err->code, "stale_connection"))
            return NULL;
    }
    return stored;
}

static void drop(const struct auth *auth, const struct connection_row *held)
{
    struct err err = {0};

    if (!store_drop_held_connections(auth->store, held->id, &err))
        log_event(auth->log, LOG_ERROR,
            "a connection that was not accepted is only removed at the next start",
            LOG_STR("reason", err.message), LOG_END);
}

/* Held back until it is judged. */
static struct connection_row *put_judged(
    const struct auth *auth, struct putting *work, struct err *err)
{
    struct put_terms terms = work->terms;
    struct connection_row *held, *stored = NULL;

    work->terms.hold = true;
    held = put_row(auth, work, err);
    if (held == NULL)
        return NULL;
    work->terms = terms;
    work->terms.held = held;
    if (auth->gate->judge(auth->gate->arg, held, err))
        stored = put_row(auth, work, err);
    if (stored == NULL)
        drop(auth, held);
    connection_row_unref(held);
    return stored;
}

static struct connection_row *put_and_judge(
    const struct auth *auth, struct putting *work, struct err *err)
{
    const struct connection_gate *gate = auth->gate;
    bool judged = false;

    if (gate == NULL)
        return put_row(auth, work, err);
    if (!gate->is_judged(
            gate->arg, work->row.environment_id, work->row.integration_id, &judged, err))
        return NULL;
    work->terms.event = gate->event;
    return judged ? put_judged(auth, work, err) : put_row(auth, work, err);
}

bool connection_put(const struct auth *auth, const struct connection_put *put,
    bool *created, struct connection *out, struct err *err)
{
    struct putting work = {
        .put = put,
        .terms =
            {
                .metadata_if_new = put->empty_metadata ? "{}" : NULL,
                .keep_webhook_url = put->keep_webhook_url,
                .row_id = put->reconnect_id,
            },
    };
    struct webhook_outbox if_new = {0}, if_old = {0};
    struct connection_row *row = &work.row, *stored;
    struct end_user_row end_user;
    cJSON *credentials = cJSON_Duplicate(put->credentials, true);
    const char *type = json_str(put->credentials, "type");
    char context[CONTEXT_SIZE];
    bool ok = false;

    memset(out, 0, sizeof *out);
    row->environment_id = put->environment_id;
    row->integration_id = put->integration->id;
    row->connection_id = str_dup(put->connection_id);
    row->provider_config_key = str_dup(put->integration->unique_key);
    row->provider = str_dup(put->integration->provider);
    row->auth_type = str_dup(type != NULL ? type : "NONE");
    row->has_refresh_token = !str_is_empty(json_str(credentials, "refresh_token"));
    row->metadata_json = object_text(put->metadata);
    row->tags_json = object_text(put->tags);
    row->errors_json = str_dup("[]");
    row->webhook_url_override = str_dup(put->webhook_url_override);
    if (put->end_user != NULL) {
        end_user = *put->end_user;
        row->end_user = &end_user;
    }
    if (!expiry_normalise(
            credentials, clock_now_ms(auth->clock), &row->expires_at_ms, err))
        goto done;
    connection_context(context, row->environment_id, row->integration_id,
        row->connection_id, "credentials");
    if (!sealed_json_write(auth, context, credentials, &row->credentials, err))
        goto done;
    if (!auth_tell_put(auth, row, &if_new, &if_old, err))
        goto done;
    work.terms.webhooks_if_new = &if_new.puts;
    work.terms.webhooks_if_old = &if_old.puts;
    stored = put_and_judge(auth, &work, err);
    if (stored == NULL)
        goto done;
    webhooks_wake(auth->webhooks);
    *created = work.created;
    ok = connection_open(auth, stored, out, err);

done:
    webhook_outbox_finish(&if_new);
    webhook_outbox_finish(&if_old);
    cJSON_Delete(credentials);
    free(row->connection_id);
    free(row->provider_config_key);
    free(row->provider);
    free(row->auth_type);
    free(row->metadata_json);
    free(row->tags_json);
    free(row->errors_json);
    free(row->webhook_url_override);
    free(row->credentials.data);
    return ok;
}
