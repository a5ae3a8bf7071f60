/* SPDX-License-Identifier: Apache-2.0 */
/* What the token files of this folder share: parts of requests, one call, parts of
 * answers. */
#ifndef AUTH_TOKEN_INT_H
#define AUTH_TOKEN_INT_H

#include "auth/token.h"
#include "catalog/template.h"
#include "net/upstream.h"

/* ---- token_request.c ---- */
/* RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined; many
 * providers want them as they are. */
void token_header_basic(
    struct http_headers *headers, const struct token_client *client, bool form_encoded);
/* The members of an object as a form; what is no text as its JSON. */
void token_form_write(struct buf *out, const cJSON *fields);
/* The same behind the query of the request's URL. */
void token_query_add(struct token_request *request, const cJSON *fields);

/* ---- token_fields.c ---- */
/* Parameters and headers whose templates see several objects at once. A name that nobody
 * knows stays as it is. */
#define TOKEN_LAYERS 4
struct token_values {
    struct template_layer layers[TOKEN_LAYERS];
    size_t count;
    const struct template_stable *stable;
};
/* A copy of `node` with every text in it rendered. */
cJSON *token_values_render(const struct token_values *values, const cJSON *node);
/* One text. The caller wipes and frees; *complete (may be NULL): nothing stayed open. */
char *token_values_text(
    const struct token_values *values, const char *text, bool *complete);
/* Sets what every HTTP client says and the catalogue left out: Accept, User-Agent and the
 * type of the body. */
void token_request_defaults(struct token_request *request, const char *content_type);
/* Shorter texts stand in any sentence: they say nothing about a secret. */
#define TOKEN_SECRET_MIN 4
/* Keeps copies of the texts in `secrets` (an object, nested) so that no error quotes
 * them. */
void token_request_keep_secrets(struct token_request *request, const cJSON *secrets);
/* credentials.expires_at as text. */
void token_expiry_set(cJSON *credentials, int64_t expires_at_ms);

/* ---- token_send.c ---- */
bool token_answer_is_page(const struct up_answer *answer); /* by its type */
/* True when an answer came, whatever its status. up_answer_finish() in any case. */
bool token_request_call(const struct auth *auth, const struct token_request *request,
    const char *failure_code, struct up_answer *answer, struct err *err);
/* Says what the status was and what the provider said to it. Returns false. */
bool token_status_failed(const struct token_request *request,
    const struct up_answer *answer, const char *code, struct err *err);

/* ---- token_parse.c ---- */
/* `expires_in`: the integer that a number or text begins with. 0 or nothing readable =
 * absent. */
bool token_life_parse(const cJSON *value, int64_t *out_ms);
/* Says why no credentials can be made of an answer. Returns false. */
bool token_answer_refused(const char *answer, size_t len, const cJSON *raw,
    const struct token_secrets *secrets, struct err *err);

#endif
