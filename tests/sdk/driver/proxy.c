/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy, whole and streamed. */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static void fill_parts(struct run *run, nango_proxy_config *config)
{
    const nango_json *all = arg(run, "parts");
    nango_part *parts;

    config->part_count = nango_json_count(all);
    parts = run_alloc(run, config->part_count + 1, sizeof *parts);
    config->parts = parts;
    for (const nango_json *it = nango_json_first(all); it != NULL;
         it = nango_json_next(it), parts++) {
        parts->name = get_text(run, it, "name");
        parts->file_name = get_text(run, it, "fileName");
        parts->content_type = get_text(run, it, "contentType");
        parts->data = get_bytes(run, nango_json_get(it, "data"), &parts->size);
    }
}

/* `data` is JSON, `form` pairs, `bytes` text or {"hex": …}, `parts` a list. */
static void fill_data(struct run *run, nango_proxy_config *config)
{
    if (arg(run, "data") != NULL || arg(run, "data$") != NULL) {
        config->data_kind = NANGO_DATA_JSON;
        config->data = arg_json(run, "data");
        config->data_size = strlen(config->data);
    } else if (arg(run, "form") != NULL) {
        config->data_kind = NANGO_DATA_FORM;
        config->form = get_pairs(run, run->args, "form", &config->form_count);
    } else if (arg(run, "bytes") != NULL) {
        config->data_kind = NANGO_DATA_BYTES;
        config->data = get_bytes(run, arg(run, "bytes"), &config->data_size);
    } else if (arg(run, "parts") != NULL) {
        config->data_kind = NANGO_DATA_MULTIPART;
        fill_parts(run, config);
    }
}

static void fill_retry_on(struct run *run, nango_proxy_config *config)
{
    const nango_json *all = arg(run, "retryOn");
    int *statuses;
    int64_t status;

    config->retry_on_count = nango_json_count(all);
    if (config->retry_on_count == 0)
        return;
    statuses = run_alloc(run, config->retry_on_count, sizeof *statuses);
    config->retry_on = statuses;
    for (const nango_json *it = nango_json_first(all); it != NULL;
         it = nango_json_next(it)) {
        if (!nango_json_int(it, &status))
            misuse("retryOn holds numbers");
        *statuses++ = (int)status;
    }
}

static void fill_config(struct run *run, nango_proxy_config *config)
{
    const char *type = arg_text(run, "responseType");

    *config = (nango_proxy_config){
        .method = arg_text(run, "method"),
        .endpoint = arg_text(run, "endpoint"),
        .provider_config_key = arg_text(run, "providerConfigKey"),
        .connection_id = arg_text(run, "connectionId"),
        .retries = (int)arg_int(run, "retries"),
        .base_url_override = arg_text(run, "baseUrlOverride"),
        .decompress = arg_bool(run, "decompress"),
    };
    config->headers = get_pairs(run, run->args, "headers", &config->header_count);
    if (nango_json_string(arg(run, "params"), NULL) != NULL)
        config->params_text = arg_text(run, "params");
    else
        config->params = get_pairs(run, run->args, "params", &config->param_count);
    if (arg(run, "forwardHeadersOnRedirect") != NULL)
        config->forward_headers_on_redirect =
            arg_bool(run, "forwardHeadersOnRedirect") ? NANGO_TRUE : NANGO_FALSE;
    if (type != NULL)
        config->response_type = strcmp(type, "json") == 0   ? NANGO_RESPONSE_JSON
                                : strcmp(type, "text") == 0 ? NANGO_RESPONSE_TEXT
                                                            : NANGO_RESPONSE_ANY;
    fill_retry_on(run, config);
    fill_data(run, config);
    run->proxied = true;
}

/* One function of the family: they differ in nothing but the name. */
#define PROXY(name)                                                                      \
    static void name(struct run *run)                                                    \
    {                                                                                    \
        nango_proxy_config config;                                                       \
                                                                                         \
        fill_config(run, &config);                                                       \
        CALL(run, response, name, &config);                                              \
    }                                                                                    \
    struct driver_semicolon

PROXY(proxy);
PROXY(get);
PROXY(post);
PROXY(put);
PROXY(patch);
PROXY(delete);

/* ---- streamed ---- */

struct stream {
    struct run *run;
    bool count_only; /* the answer is too large to be kept */
    bool head_seen;
    struct out head;
    char *head_text;
    size_t head_len;
    FILE *body;
    char *body_text;
    size_t body_len;
    int64_t received;
    size_t largest_piece;
    int64_t pieces;
    int64_t stop_after; /* bytes of the answer; -1: never */
    bool stop_at_head;
    bool pausing; /* pause after each piece, resume at the next turn of the loop */
    bool paused;
    char *request;
    size_t request_len;
    size_t request_at;
    int64_t repeat; /* the request is sent so often, one after the other */
    int64_t repeated;
    size_t read_size; /* of a piece of the request */
    bool abort_read;
    int64_t rewinds;
};

static void stream_free(void *state)
{
    struct stream *stream = state;

    free(stream->head_text);
    free(stream->body_text);
    free(stream->request);
    free(stream);
}

static bool on_head(const nango_response *head, void *user)
{
    struct stream *stream = user;
    size_t len;

    if (stream->head_seen)
        fault("on_head ran twice");
    stream->head_seen = true;
    nango_response_body(head, &len);
    if (len != 0)
        fault("the head of a stream has a body");
    stream->head.file = must(open_memstream(&stream->head_text, &stream->head_len));
    put_response(&stream->head, NULL, head);
    fclose(stream->head.file);
    return !stream->stop_at_head;
}

static bool on_data(const char *data, size_t len, void *user)
{
    struct stream *stream = user;

    if (!stream->head_seen)
        fault("on_data ran before on_head");
    if (stream->paused)
        fault("on_data ran while the call was paused");
    stream->received += (int64_t)len;
    stream->pieces++;
    if (len > stream->largest_piece)
        stream->largest_piece = len;
    if (!stream->count_only)
        fwrite(data, 1, len, stream->body);
    if (stream->pausing && stream->run->call != NULL) {
        stream->paused = true;
        nango_call_pause(stream->run->call);
    }
    return stream->stop_after < 0 || stream->received < stream->stop_after;
}

static int64_t read_request(char *data, size_t size, void *user)
{
    struct stream *stream = user;
    size_t left = stream->request_len - stream->request_at;
    size_t n = left < size ? left : size;

    if (stream->abort_read)
        return NANGO_STREAM_ABORT;
    if (stream->read_size != 0 && n > stream->read_size)
        n = stream->read_size;
    memcpy(data, stream->request + stream->request_at, n);
    stream->request_at += n;
    if (stream->request_at == stream->request_len && n > 0 &&
        ++stream->repeated < stream->repeat)
        stream->request_at = 0;
    return (int64_t)n;
}

static bool rewind_request(void *user)
{
    struct stream *stream = user;

    stream->request_at = 0;
    stream->repeated = 0;
    stream->rewinds++;
    return true;
}

static void stream_tick(struct run *run)
{
    struct stream *stream = run->state;

    if (stream->paused) {
        stream->paused = false;
        nango_call_resume(run->call);
    }
}

static void put_stream(struct run *run, struct stream *stream)
{
    nango_document *head = NULL;

    put_open(&run->out, "typed", '{');
    if (stream->head_text != NULL)
        nango_document_parse(stream->head_text, stream->head_len, &head, NULL);
    put_json(&run->out, "head", nango_document_root(head));
    nango_document_free(head);
    put_int(&run->out, "received", stream->received);
    put_int(&run->out, "pieces", stream->pieces);
    put_int(&run->out, "largest_piece", (int64_t)stream->largest_piece);
    put_int(&run->out, "rewinds", stream->rewinds);
    put_bytes(&run->out, "body", stream->body_text, stream->body_len);
    put_close(&run->out, '}');
}

static void stream_ended(const nango_error *error, void *user)
{
    struct run *run = user;
    struct stream *stream = run->state;

    run->tick = NULL;
    fclose(stream->body);
    run_begin(run, error, false);
    put_stream(run, stream);
    run_end(run);
}

static struct stream *make_stream(struct run *run)
{
    struct stream *stream = must(calloc(1, sizeof *stream));
    const void *request = get_bytes(run, arg(run, "body"), &stream->request_len);

    run->state = stream;
    run->finish_state = stream_free;
    stream->run = run;
    stream->count_only = arg_bool(run, "countOnly");
    stream->stop_at_head = arg_bool(run, "stopAtHead");
    stream->stop_after = arg(run, "stopAfter") != NULL ? arg_int(run, "stopAfter") : -1;
    stream->pausing = arg_bool(run, "pause");
    stream->repeat = arg_int(run, "repeat");
    stream->read_size = (size_t)arg_int(run, "readSize");
    stream->abort_read = arg_bool(run, "abortRead");
    stream->body = must(open_memstream(&stream->body_text, &stream->body_len));
    if (request != NULL) {
        stream->request = must(malloc(stream->request_len + 1));
        memcpy(stream->request, request, stream->request_len);
    }
    return stream;
}

static void proxy_stream(struct run *run)
{
    nango_proxy_config config;
    struct stream *state = make_stream(run);
    nango_stream stream = {
        .on_head = on_head,
        .on_data = on_data,
        .read = state->request != NULL ? read_request : NULL,
        .rewind = arg_bool(run, "rewind") ? rewind_request : NULL,
        .read_size =
            arg_bool(run, "chunked")
                ? -1
                : (int64_t)state->request_len * (state->repeat > 0 ? state->repeat : 1),
        .user = state,
    };
    nango_code code;

    fill_config(run, &config);
    if (run->loop == NULL) {
        code = nango_proxy_stream(run->client, &config, &stream, &run->error);
        run_returned(run, code, true);
        stream_ended(&run->error, run);
        return;
    }
    run->tick = stream_tick;
    code = nango_proxy_stream_start(
        run->client, &config, &stream, stream_ended, run, &run->call, &run->error);
    if (code != NANGO_OK) {
        run->tick = NULL;
        fclose(state->body);
    }
    run_started(run, code);
}

const struct method proxy_methods[] = {
    {"proxy", proxy},
    {"get", get},
    {"post", post},
    {"put", put},
    {"patch", patch},
    {"delete", delete},
    {"proxyStream", proxy_stream},
    {NULL, NULL},
};
