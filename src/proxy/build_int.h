/* SPDX-License-Identifier: Apache-2.0 */
/* One build of a provider's request, shared by the files that make its parts. */
#ifndef PROXY_BUILD_INT_H
#define PROXY_BUILD_INT_H

#include "catalog/plan.h"
#include "catalog/template.h"
#include "catalog/weburl.h"
#include "proxy/build.h"

#define BUILD_MAX_LAYERS 16

struct build {
    const struct proxy_input *in;
    const struct provider_plan *plan;
    const char *type;  /* credentials.type; "" for NONE */
    const char *token; /* what goes after Bearer; NULL */
    struct weburl url; /* the final one */
    struct http_headers *headers;
    char **secret_names;
    size_t secret_count;
};

/* build_url.c: fills b->url. */
bool build_url(struct build *b, struct err *err);
/* build_headers.c: base header, templates, the caller's, defaults. */
bool build_headers(struct build *b, struct err *err);
/* build_sign.c: the header of TBA, OAUTH1; the headers of AWS_SIGV4, over all others. */
bool build_sign_oauth1(struct build *b, struct err *err);
bool build_sign_aws(struct build *b, struct err *err);
/* A header that a template or credentials made. */
void build_secret_header(struct build *b, const char *name, const char *value);
/* The value of a header that is set already, any case; NULL. */
const char *build_setting(const struct build *b, const char *name); /* settings.custom */

#endif
