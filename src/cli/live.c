/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/fixture.h"
#include "cli/host.h"
#include "net/policy.h"
#include "scripts/calls.h"

#define CALL_MS 600000
#define MAX_BODY ((size_t)32 << 20)

struct live {
    struct live_options options;
    struct script_say nobody;
    struct policy policy;
    struct script_caller caller;
    struct fixture *local; /* answers from `local_text`, and collects */
    char *local_text;
    char *metadata; /* NULL: the server's */
    char *provider;
    int64_t connection;
};

/* ---- opening ---- */

/* Who is asked about, which also says early and clearly that there is no such connection. */
static bool find_connection(struct live *live, struct err *err)
{
    const struct live_options *options = &live->options;
    cJSON *connection;
    struct buf path;

    buf_init(&path, 0);
    buf_puts(&path, "/connections/");
    str_uri_component(options->connection_id, strlen(options->connection_id), &path);
    remote_query(&path, "provider_config_key", options->integration);
    connection = remote_get(options->remote, path.data, err);
    buf_finish(&path);
    if (connection == NULL)
        return err_context(err, "the connection %.100s of %.100s", options->connection_id,
            options->integration);
    live->provider = str_dup(json_str(connection, "provider"));
    if (live->provider == NULL)
        live->provider = str_dup(options->integration);
    (void)json_i64(connection, "id", &live->connection);
    cJSON_Delete(connection);
    return true;
}

struct live *live_open(const struct live_options *options, struct err *err)
{
    struct live *live = MEM_NEW(struct live);

    live->options = *options;
    live->metadata = str_dup(options->metadata);
    live->local_text =
        options->checkpoint != NULL
            ? str_printf("{\"nango\":{\"getCheckpoint\":%s}}", options->checkpoint)
            : str_dup("{}");
    policy_init(&live->policy, true); /* on the machine of who runs it */
    live->caller = (struct script_caller){
        .base_url = options->remote->base,
        .key = options->remote->key,
        .connection_id = options->connection_id,
        .provider_config_key = options->integration,
        .say = &live->nobody,
        .policy = &live->policy,
        .timeout_ms = CALL_MS,
        .max_body = MAX_BODY,
    };
    live->local = fixture_new(live->local_text, strlen(live->local_text), err);
    if (live->local != NULL && find_connection(live, err))
        return live;
    live_close(live);
    return NULL;
}

void live_close(struct live *live)
{
    if (live == NULL)
        return;
    fixture_free(live->local);
    policy_finish(&live->policy);
    free(live->local_text);
    free(live->metadata);
    free(live->provider);
    free(live);
}

const char *live_provider(const struct live *live)
{
    return live->provider;
}

int64_t live_connection(const struct live *live)
{
    return live->connection;
}

/* ---- calls ---- */

/* Of the methods that the server does, those that leave something there. */
static bool is_kept_here(const char *method)
{
    return str_eq(method, "setMetadata") || str_eq(method, "updateMetadata");
}

/* The connection with the metadata that was given instead. */
static void put_metadata(struct live *live, struct buf *value)
{
    cJSON *connection = json_parse_lenient(value->data, value->len, NULL);

    if (connection == NULL)
        return;
    json_set(connection, "metadata", cJSON_CreateRaw(live->metadata));
    buf_clear(value);
    json_append(value, connection);
    cJSON_Delete(connection);
}

static void answer_remotely(
    struct live *live, const char *method, struct json_raw call, struct buf *out)
{
    struct json_raw args = json_raw_get(call, "args");
    bool fetched = str_eq(method, "uncontrolledFetch"), ok;
    struct buf value, nothing;

    buf_init_secret(&value, 0);
    buf_init(&nothing, 0);
    if (fetched || str_eq(method, "proxy"))
        fixture_note_call(live->local, json_raw_at(args, 0), fetched);
    ok = script_call(&live->caller, method, args, &value);
    if (ok && live->metadata != NULL && str_eq(method, "getConnection"))
        put_metadata(live, &value);
    if (live->options.recording != NULL)
        recording_add(live->options.recording, method, args, ok,
            (struct json_raw){.text = value.data, .len = value.len});
    host_append_result(out, call, ok ? &value : &nothing, ok ? &nothing : &value);
    buf_finish(&nothing);
    buf_finish(&value);
}

void live_answer(struct live *live, struct json_raw call, struct buf *out)
{
    char *method = json_raw_dup_string(json_raw_get(call, "method"));

    if (method != NULL && script_call_known(method) && !is_kept_here(method))
        answer_remotely(live, method, call, out);
    else
        fixture_answer(live->local, call, out);
    free(method);
}

void live_log(struct live *live, struct json_raw log)
{
    fixture_log(live->local, log);
}

void live_append_result(const struct live *live, struct buf *out)
{
    fixture_append_result(live->local, out);
}
