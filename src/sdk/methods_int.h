/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the methods share among them: pieces of plans, readers of results, and
 * the types that more than one file fills. */
#ifndef SDK_METHODS_INT_H
#define SDK_METHODS_INT_H

#include "sdk/sdk_int.h"

/* ---- pieces of plans (plan.c); each accepts a NULL call ---- */

/* Content-Type on a call without a body: the official client sends it with some of them,
 * and servers check it (contract http-api.md, 1.1 and 1.6 trap 5). */
void ngo_plan_json_type(nango_call *call);

/* Fails with NANGO_E_ARGUMENT unless `json` is the text of an object. NULL is accepted. */
void ngo_plan_object(nango_call *call, const char *json, const char *what);

/* The whole body as the user gave it, which has to be an object. */
void ngo_plan_body(nango_call *call, const char *json, const char *what);

/* A member that has to be an object, unless `json` is NULL. */
void ngo_plan_member_object(
    nango_call *call, struct ngo_text *text, const char *name, const char *json);

/* The body as an object: opened, and closed. NULL only for a NULL call. */
struct ngo_text *ngo_plan_open(nango_call *call);
void ngo_plan_close(nango_call *call, struct ngo_text *text);

/* Tags and other pairs as a member, unless there are none. */
void ngo_plan_pairs(nango_call *call, struct ngo_text *text, const char *name,
    const nango_pair *pairs, size_t count);

/* The members `end_user` and, if asked for, `organization`. NULL is accepted. */
void ngo_plan_end_user(nango_call *call, struct ngo_text *text,
    const nango_end_user *end_user, bool with_organization);

/* A pair of the query whose value is `text`, which is finished. */
void ngo_plan_query_text(nango_call *call, const char *name, struct ngo_text *text,
    enum ngo_encoding encoding);

/* What a query of records lacks, by the name that the official client gives it; NULL:
 * nothing. */
const char *ngo_records_lack(
    const char *model, const char *provider_config_key, const char *connection_id);
/* How it says so; takes that name. */
#define NGO_LACKS "%s is missing and is required to make a proxy call!"

/* ---- readers of results (shape.c); each accepts a NULL item or list ---- */

const nango_json *ngo_item_json(const void *item);
/* A string at a JSON pointer; NULL when there is none. */
const char *ngo_item_text(const void *item, const char *pointer);
/* A member, unless it is null. */
const nango_json *ngo_item_member(const void *item, const char *name);
const nango_response *ngo_item_response(const void *item);

/* A list of the elements of `array` (NULL: none) that takes call->response over. */
struct ngo_list *ngo_list_take(nango_call *call, size_t size, const nango_json *array);
size_t ngo_list_count(const void *list);
const nango_response *ngo_list_response(const void *list);

/* ---- types (connection.c, credentials.c, integration.c) ---- */

/* Alone they own the response, within a connection nothing. */
struct nango_credentials {
    struct ngo_item item;
};

struct nango_connection {
    struct ngo_item item;
    struct nango_credentials credentials; /* without JSON: there are none */
};

extern const struct ngo_shape ngo_shape_connection;
extern const struct ngo_shape ngo_shape_connections;
extern const struct ngo_shape ngo_shape_integration;
extern const struct ngo_shape ngo_shape_integration_current; /* in any era */
extern const struct ngo_shape ngo_shape_integrations;
extern const struct ngo_shape ngo_shape_credentials;
extern const struct ngo_shape ngo_shape_records;
extern const struct ngo_shape ngo_shape_sync_states;
extern const struct ngo_shape ngo_shape_variables;

#endif
