/* SPDX-License-Identifier: Apache-2.0 */
/* Building the provider's request: URL, headers and body from the catalogue's templates
 * and a connection (contract proxy.md sections 3 – 5). No I/O: the same inputs give the
 * same request. */
#ifndef PROXY_BUILD_H
#define PROXY_BUILD_H

#include <cjson/cJSON.h>

#include "base/err.h"
#include "catalog/catalog.h"
#include "catalog/template.h"
#include "net/http.h"

struct proxy_input {
    const struct provider *provider;
    const cJSON *settings;    /* the integration's, or NULL */
    const cJSON *credentials; /* with `type`, or {} */
    const cJSON *config;      /* connection config */
    const cJSON *metadata;    /* or NULL */
    const char *method;
    const char *endpoint;      /* raw path and query after /proxy, escapes kept */
    const char *base_override; /* NULL or "" = none */
    const struct http_headers
        *headers;     /* the caller's Nango-Proxy-* without the prefix */
    const char *body; /* whole body when at hand (signatures), else NULL */
    size_t body_len;
    const cJSON *body_json;         /* parsed when it is JSON, else NULL */
    struct template_stable *stable; /* clock and randomness */
    bool library_defaults;          /* add Accept, User-Agent and the like when unset */
};
struct proxy_request {
    char *url;
    struct http_headers headers; /* lower-case names */
    char *body; /* replaces the input's when the catalogue adds to it; else NULL */
    size_t body_len;
    /* Names of the headers that a template or credentials put in: dropped on a redirect
     * to another site unless told otherwise. NULL-terminated. */
    char **secret_headers;
};
/* err->code: `missing_api_url`, `unsupported_provider`, `unsupported_auth`, … (proxy.md
 * 10). */
bool proxy_build(
    const struct proxy_input *input, struct proxy_request *out, struct err *err);
void proxy_request_finish(struct proxy_request *request); /* wipes */
/* True when proxy_build() needs the whole body (signature modes, proxy.body, body
 * templates). */
bool proxy_needs_body(const struct provider *provider, const char *auth_type);
/* What else proxy_build() looks at, so that callers fetch nothing in vain. */
bool proxy_needs_settings(const struct provider *provider);
bool proxy_needs_random(const struct provider *provider);
/* Whether anything in the request can name more of the connection than its credentials
 * themselves: its config, or `raw`. */
bool proxy_needs_whole_connection(const struct provider *provider, const char *auth_type,
    const char *base_override, const char *endpoint);
bool proxy_needs_metadata(const struct provider *provider, const char *base_override);

#endif
