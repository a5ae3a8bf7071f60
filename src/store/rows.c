/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: counting references, copying, freeing. Counted rows begin with `int refs`; the
 * count is changed atomically, everything else in a row that was handed out never
 * changes. Blobs hold sealed bytes, so they need no wiping. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/store_int.h"

static_assert(
    offsetof(struct environment_row, refs) == 0, "counted rows begin with refs");
static_assert(offsetof(struct api_key_row, refs) == 0, "counted rows begin with refs");
static_assert(
    offsetof(struct integration_row, refs) == 0, "counted rows begin with refs");
static_assert(offsetof(struct connection_row, refs) == 0, "counted rows begin with refs");

void row_ref(void *row)
{
    int before = __atomic_fetch_add((int *)row, 1, __ATOMIC_RELAXED);

    assert(before > 0);
}

/* True for the last one, who frees. */
static bool row_release(int *refs)
{
    int before = __atomic_fetch_sub(refs, 1, __ATOMIC_ACQ_REL);

    assert(before > 0);
    return before == 1;
}

/* ---- blobs ---- */

void blob_free(struct blob *blob)
{
    free(blob->data);
    *blob = (struct blob){0};
}

struct blob blob_dup(struct blob blob)
{
    if (blob.data == NULL)
        return (struct blob){0};
    return (struct blob){mem_dup(blob.data, blob.len > 0 ? blob.len : 1), blob.len};
}

/* ---- counted rows ---- */

void environment_row_unref(struct environment_row *row)
{
    if (row == NULL || !row_release(&row->refs))
        return;
    free(row->name);
    free(row->callback_url);
    blob_free(&row->hmac_key);
    free(row->webhook_url);
    free(row->webhook_url_secondary);
    blob_free(&row->signing_key);
    free(row);
}

void api_key_row_unref(struct api_key_row *row)
{
    if (row == NULL || !row_release(&row->refs))
        return;
    free(row->display_name);
    free(row->scopes);
    blob_free(&row->secret);
    free(row);
}

void integration_row_unref(struct integration_row *row)
{
    if (row == NULL || !row_release(&row->refs))
        return;
    free(row->unique_key);
    free(row->provider);
    free(row->display_name);
    blob_free(&row->settings);
    free(row);
}

void connection_row_ref(struct connection_row *row)
{
    row_ref(row);
}

void connection_row_unref(struct connection_row *row)
{
    if (row == NULL || !row_release(&row->refs))
        return;
    free(row->connection_id);
    free(row->provider_config_key);
    free(row->provider);
    free(row->auth_type);
    blob_free(&row->credentials);
    blob_free(&row->config);
    free(row->metadata_json);
    free(row->tags_json);
    free(row->errors_json);
    end_user_free(row->end_user);
    free(row->webhook_url_override);
    free(row);
}

struct connection_row *connection_row_dup(const struct connection_row *row)
{
    struct connection_row *copy = mem_alloc(sizeof *copy);

    /* The count of the original may be moving: it is not read. */
    memcpy((char *)copy + sizeof copy->refs, (const char *)row + sizeof row->refs,
        sizeof *copy - sizeof copy->refs);
    copy->refs = 1;
    copy->connection_id = str_dup(row->connection_id);
    copy->provider_config_key = str_dup(row->provider_config_key);
    copy->provider = str_dup(row->provider);
    copy->auth_type = str_dup(row->auth_type);
    copy->credentials = blob_dup(row->credentials);
    copy->config = blob_dup(row->config);
    copy->metadata_json = str_dup(row->metadata_json);
    copy->tags_json = str_dup(row->tags_json);
    copy->errors_json = str_dup(row->errors_json);
    copy->end_user = end_user_dup(row->end_user);
    copy->webhook_url_override = str_dup(row->webhook_url_override);
    return copy;
}

struct end_user_row *end_user_dup(const struct end_user_row *row)
{
    struct end_user_row *copy;

    if (row == NULL)
        return NULL;
    copy = MEM_NEW(struct end_user_row);
    copy->id = str_dup(row->id);
    copy->email = str_dup(row->email);
    copy->display_name = str_dup(row->display_name);
    copy->tags_json = str_dup(row->tags_json);
    copy->organization_id = str_dup(row->organization_id);
    copy->organization_display_name = str_dup(row->organization_display_name);
    return copy;
}

void end_user_free(struct end_user_row *row)
{
    if (row == NULL)
        return;
    free(row->id);
    free(row->email);
    free(row->display_name);
    free(row->tags_json);
    free(row->organization_id);
    free(row->organization_display_name);
    free(row);
}

/* ---- lists ---- */

void store_environments_free(struct environment_row **rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        environment_row_unref(rows[i]);
    free(rows);
}

void store_api_keys_free(struct api_key_row **rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        api_key_row_unref(rows[i]);
    free(rows);
}

void store_integrations_free(struct integration_row **rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        integration_row_unref(rows[i]);
    free(rows);
}

void store_connections_free(struct connection_row **rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        connection_row_unref(rows[i]);
    free(rows);
}

void store_keys_free(struct store_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        blob_free(&keys[i].wrapped);
    free(keys);
}

void store_variables_free(struct variable_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].name);
        blob_free(&rows[i].value);
    }
    free(rows);
}

void store_refresh_journal_free(struct refresh_journal_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        blob_free(&rows[i].answer);
    free(rows);
}

void store_scripts_free(struct script_row **rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        script_row_free(rows[i]);
    free(rows);
}

/* ---- single owners ---- */

void script_row_free(struct script_row *row)
{
    struct script_spec *spec;

    if (row == NULL)
        return;
    spec = &row->spec;
    {
        char *const texts[] = {row->provider_config_key, row->provider, row->name,
            spec->version, spec->description, spec->models_json, spec->input,
            spec->endpoints_json, spec->scopes_json, spec->json_schema,
            spec->model_schema_json, spec->runs, spec->sync_type,
            spec->webhook_subscriptions_json, row->event, spec->attributes_json,
            spec->features_json, spec->sdk_version, spec->source};

        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            free(texts[i]);
    }
    free(row);
}

void connect_session_row_free(struct connect_session_row *row)
{
    if (row == NULL)
        return;
    blob_free(&row->payload);
    free(row);
}

void oauth_state_row_free(struct oauth_state_row *row)
{
    if (row == NULL)
        return;
    blob_free(&row->payload);
    free(row);
}
