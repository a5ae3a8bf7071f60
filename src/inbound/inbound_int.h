/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share.
 *
 *   receive.c    one request, from the body's parsing to its storing
 *   handler.c    the words that handlers are written in
 *   check.c      signatures
 *   providers_*  the handlers, by what they have in common
 *   route.c      whom a stored event concerns, and what follows
 */
#ifndef INBOUND_INBOUND_INT_H
#define INBOUND_INBOUND_INT_H

#include <openssl/evp.h>

#include "inbound/inbound.h"

/* ---- what a handler works on ---- */

struct visit {
    const struct inbound_request *request;
    const struct auth *auth;
    int64_t now_ms;
    cJSON *body;    /* an object, or whatever JSON came */
    cJSON *events;  /* see event_add() */
    cJSON *forward; /* what is passed on, where it is not the body; owned */
    bool passes_on; /* false: nothing is passed on */
    char *message;  /* the provider's id of it; NULL = none; owned */
    struct inbound_answer answer;
    struct err *err;
};

/* False and visit->err: refused. */
typedef bool handler_fn(struct visit *visit);

struct handler {
    const char *name; /* as in the catalogue, without `WebhookRouting` */
    handler_fn *run;
    bool asks_provider;
};
extern const struct handler handlers_plain[], handlers_signed[], handlers_events[],
    handlers_google[], handlers_special[]; /* each ends with a NULL name */
const struct handler *handler_find(const struct integration *integration);

/* receive.c: fills `body` from what came. */
bool visit_read_body(struct visit *visit);

/* ---- handler.c ---- */

const char *visit_header(const struct visit *visit, const char *name); /* NULL */
/* Only names that the catalogue lets pass. */
const char *visit_query(const struct visit *visit, const char *name); /* NULL */
/* The text at a dotted path; NULL unless it is a string. */
const char *visit_text(const struct visit *visit, const char *path);
/* The owner's own secret, NULL = none is set. */
const char *visit_secret(const struct visit *visit);
const char *visit_setting(const struct visit *visit, const char *name);
const char *visit_custom(const struct visit *visit, const char *name);
/* 401 `webhook_missing_signature`, 401 `webhook_invalid_signature`, 400 with a code. */
bool visit_unsigned(struct visit *visit);
bool visit_forged(struct visit *visit);
bool visit_bad(struct visit *visit, const char *code, const char *message);

/* Something that happened: scripts that subscribe to `type`, or to `other`, run with the
 * payload (NULL = the whole body) for the connections that event_find() finds; with no
 * such call, for all. Texts may be NULL. */
void event_add(
    struct visit *visit, const char *type, const char *other, const cJSON *payload);
/* Of the last event: connections of which `name` has that value. Further calls are tried
 * in turn while there are none. A value of NULL finds nobody. */
enum find_in {
    FIND_ID,       /* the connection's id */
    FIND_CONFIG,   /* connection_config.<name>, as text */
    FIND_METADATA, /* metadata.<name>, or in it */
};
void event_find(
    struct visit *visit, enum find_in in, const char *name, const char *value);
/* The same with the value at a path of `from` (NULL = the body), a number as text. */
void event_find_at(struct visit *visit, enum find_in in, const char *name,
    const cJSON *from, const char *path);

/* ---- check.c ---- */

enum digest {
    DIGEST_SHA256,
    DIGEST_SHA1,
};
struct hmac_check {
    const char *header;
    const char *given;  /* what is checked, where it is not all of the header */
    const char *prefix; /* before the digest; NULL = none */
    enum digest digest;
    bool base64; /* else hex */
    const char *key;
    size_t key_len;   /* 0 = the text's length */
    const char *text; /* NULL = the body */
    size_t text_len;
};
/* False: it is refused. */
bool check_hmac(struct visit *visit, const struct hmac_check *check);
/* The same when the owner has set a secret; else it is accepted as it is. */
bool check_hmac_if_set(struct visit *visit, struct hmac_check check);
/* Equal texts, in a time that tells nothing. */
bool check_equal(const char *a, const char *b);
/* Standard Webhooks, with headers `webhook-…` or `svix-…`. `window_ms` 0 = any age. Notes
 * the message's id. */
bool check_svix(struct visit *visit, const char *secret, int64_t window_ms);
/* RSA, SHA-256, of any text. A key of NULL: false. */
bool check_rsa_of(
    EVP_PKEY *key, const struct buf *signature, const char *text, size_t len);
/* The same over the body; base64 in the header; the key is PEM. */
bool check_rsa(struct visit *visit, const char *header, const char *pem);

#endif
