/* SPDX-License-Identifier: Apache-2.0 */
/* What building a request needs of an entry, read once when the catalogue is loaded: the
 * entry's `proxy` templates with what each of them uses. Texts point into the entry. */
#ifndef CATALOG_PLAN_H
#define CATALOG_PLAN_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum plan_uses {
    PLAN_TEMPLATE = 1, /* there is a `${` in it */
    PLAN_CONFIG = 2,   /* connectionConfig */
    PLAN_STABLE = 4,   /* now or random */
    PLAN_REQUEST = 8,  /* something of the request: host, path, params, … */
    PLAN_BODY = 16,    /* something of the request's body */
    PLAN_RAW = 32,     /* `raw`, the provider's whole token answer */
};

struct plan_field {
    char *name;       /* headers: lower case */
    const char *text; /* numbers and booleans as their JSON text */
    unsigned uses;
    char *owned_text; /* `text` when it does not point into the entry */
};

struct provider_plan {
    const char *base_url; /* NULL */
    unsigned base_uses;
    bool base_has_choice; /* `A || B` */
    struct plan_field *headers;
    size_t header_count;
    struct plan_field *query;
    size_t query_count;
    unsigned header_uses;         /* of all headers together */
    const cJSON *body;            /* proxy.body, or NULL */
    const cJSON *retry;           /* proxy.retry, or NULL */
    const char *signature_method; /* OAUTH1; NULL */
    bool key_by_settings;         /* integration_config says where the API key goes */
};

void plan_init(struct provider_plan *plan, const cJSON *entry);
void plan_finish(struct provider_plan *plan);
unsigned plan_uses_of(const char *text);

#endif
