/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy: requests to a provider's API, with the connection's credentials put in by the
 * server. Source: contract node-sdk.md section 4, proxy.md. */
#ifndef NANGO_PROXY_H
#define NANGO_PROXY_H

#include "nango/async.h"
#include "nango/json.h"
#include "nango/response.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a proxied request carries. */
typedef enum {
    NANGO_DATA_NONE = 0,
    NANGO_DATA_JSON, /* `data`: JSON text; terminated when data_size is 0 */
    NANGO_DATA_FORM, /* `form`: sent as application/x-www-form-urlencoded */
    NANGO_DATA_BYTES, /* `data`, `data_size` bytes. Name their type by a header `Content-Type`:
                         without one they are announced as a form, as by the official client */
    NANGO_DATA_MULTIPART /* `parts`: sent as multipart/form-data */
} nango_data_kind;

/* One part of a multipart body. */
typedef struct {
    const char *name;
    const char *file_name;    /* NULL: a plain field */
    const char *content_type; /* NULL: none for a field, octet-stream for a file */
    const void *data;
    size_t size;
} nango_part;

/* What a whole answer must be; NANGO_E_PARSE when it is not. */
typedef enum {
    NANGO_RESPONSE_ANY = 0, /* bytes; nango_response_json() when they are JSON */
    NANGO_RESPONSE_JSON,
    NANGO_RESPONSE_TEXT /* UTF-8 */
} nango_response_type;

typedef enum {
    NANGO_UNSET = 0,
    NANGO_TRUE = 1,
    NANGO_FALSE = 2
} nango_tristate;

/* A proxied request. */
typedef struct {
    const char *
        method; /* any case; NULL: GET. GET, POST, PUT, PATCH, DELETE, PROPFIND, REPORT */
    const char *endpoint; /* path at the provider, with or without leading slash */
    const char *provider_config_key; /* NULL: the client's */
    const char *connection_id;       /* NULL: the client's */
    const nango_pair *headers;       /* for the provider */
    size_t header_count;
    const nango_pair *params; /* query; each replaces what `endpoint` has of that name */
    size_t param_count;
    const char *params_text; /* query as text, with or without `?`, instead of `params` */
    nango_data_kind data_kind;
    const void *data;
    size_t data_size;
    const nango_pair *form;
    size_t form_count;
    const nango_part *parts;
    size_t part_count;
    int retries;         /* by the server, at most this often */
    const int *retry_on; /* statuses to retry on, beside the usual ones */
    size_t retry_on_count;
    const char *base_url_override;
    bool decompress;
    nango_tristate forward_headers_on_redirect; /* NANGO_FALSE is sent as nothing */
    nango_response_type response_type;
    const void *reserved[4];
} nango_proxy_config;

/* Sends a request through the proxy: {method} /proxy/{endpoint}.
 *
 * *out is the provider's answer: also with NANGO_E_HTTP (the provider's or the server's
 * status outside 200 to 299) and NANGO_E_PARSE, and then it is the caller's likewise. */
NANGO_API nango_code nango_proxy(nango_client *client, const nango_proxy_config *config,
    nango_response **out, nango_error *err);
/* The callback's `response` is given with NANGO_E_HTTP and NANGO_E_PARSE, too. */
NANGO_API nango_code nango_proxy_start(nango_client *client,
    const nango_proxy_config *config, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* nango_proxy() with the method of its name, whatever config->method says. */
NANGO_API nango_code nango_get(nango_client *client, const nango_proxy_config *config,
    nango_response **out, nango_error *err);
NANGO_API nango_code nango_get_start(nango_client *client,
    const nango_proxy_config *config, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* nango_proxy() with the method of its name, whatever config->method says. */
NANGO_API nango_code nango_post(nango_client *client, const nango_proxy_config *config,
    nango_response **out, nango_error *err);
NANGO_API nango_code nango_post_start(nango_client *client,
    const nango_proxy_config *config, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* nango_proxy() with the method of its name, whatever config->method says. */
NANGO_API nango_code nango_put(nango_client *client, const nango_proxy_config *config,
    nango_response **out, nango_error *err);
NANGO_API nango_code nango_put_start(nango_client *client,
    const nango_proxy_config *config, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* nango_proxy() with the method of its name, whatever config->method says. */
NANGO_API nango_code nango_patch(nango_client *client, const nango_proxy_config *config,
    nango_response **out, nango_error *err);
NANGO_API nango_code nango_patch_start(nango_client *client,
    const nango_proxy_config *config, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* nango_proxy() with the method of its name, whatever config->method says. */
NANGO_API nango_code nango_delete(nango_client *client, const nango_proxy_config *config,
    nango_response **out, nango_error *err);
NANGO_API nango_code nango_delete_start(nango_client *client,
    const nango_proxy_config *config, nango_response_done *done, void *user,
    nango_call **call, nango_error *err);

/* What nango_stream's `read` returns beside a count. */
#define NANGO_STREAM_ABORT (-1) /* give up: the call ends with NANGO_E_CANCELLED */
/* Nothing yet: `read` is to be asked again after nango_call_resume(), and no time counts until
 * then. Only in calls that were started. */
#define NANGO_STREAM_WAIT (-2)

/* Where the pieces of a streamed request and answer go; each gets `user`. Memory does not
 * grow with the bodies. */
typedef struct {
    /* The answer's status and headers; its body is empty. Borrowed for the call. False ends
     * the call with NANGO_E_CANCELLED. May be NULL. */
    bool (*on_head)(const nango_response *head, void *user);
    /* A piece of the body, decompressed. False as above. NULL: the body is thrown away. */
    bool (*on_data)(const char *data, size_t len, void *user);
    /* Fills `data` with at most `size` bytes of the request's body; returns how many, 0 at
     * the end, or NANGO_STREAM_ABORT. NULL: the body is what the config says. */
    int64_t (*read)(char *data, size_t size, void *user);
    /* Starts the request's body again, when the server has to be asked once more (a kept
     * connection was closed, a redirect). False when it cannot. NULL: it cannot. */
    bool (*rewind)(void *user);
    /* Bytes of the whole request body, of which `read` is asked for no more; with fewer the
     * call ends with NANGO_E_ARGUMENT. 0 or -1: not known, sent in chunks. */
    int64_t read_size;
    void *user;
    const void *reserved[4];
} nango_stream;

/* nango_proxy() piece by piece. An answer outside 200 to 299 is streamed as well, and the
 * call then ends with NANGO_E_HTTP. The client's timeout counts from the last
 * piece, and not while the call is paused. `stream` is copied. */
NANGO_API nango_code nango_proxy_stream(nango_client *client,
    const nango_proxy_config *config, const nango_stream *stream, nango_error *err);

/* The end of a streamed call. */
typedef void nango_stream_done(const nango_error *error, void *user);

NANGO_API nango_code nango_proxy_stream_start(nango_client *client,
    const nango_proxy_config *config, const nango_stream *stream, nango_stream_done *done,
    void *user, nango_call **call, nango_error *err);

#ifdef __cplusplus
}
#endif
#endif
