/* SPDX-License-Identifier: Apache-2.0 */
/* Records: what syncs have copied. Source: contract node-sdk.md sections 2 and 3,
 * http-api.md section 7. */
#ifndef NANGO_RECORDS_H
#define NANGO_RECORDS_H

#include "nango/async.h"
#include "nango/json.h"
#include "nango/response.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nango_record nango_record;                   /* opaque: lent by a page */
typedef struct nango_records nango_records;                 /* opaque: a page of them */
typedef struct nango_record_iterator nango_record_iterator; /* opaque */

typedef void nango_records_done(
    nango_records *records, const nango_error *error, void *user);

/* Which records are wanted. The first three members are needed; NULL and 0 elsewhere: no
 * such condition. */
typedef struct {
    const char *provider_config_key;
    const char *connection_id;
    const char *model;
    const char *variant;
    const char *delta;          /* the older name of modified_after */
    const char *modified_after; /* changed at this time or later (ISO 8601) */
    int64_t limit;              /* of one page: 1 to 10000; 0: the server's 100 */
    const char *filter;         /* added, updated, deleted, or two with a comma */
    const char *cursor;         /* where an earlier page or record ended */
    const char *const *ids;     /* only these */
    size_t id_count;
    const void *reserved[4];
} nango_records_query;

/* Fetches a page of records, the oldest change first: GET /records. nango_records_cursor()
 * is where the next page begins. */
NANGO_API nango_code nango_list_records(nango_client *client,
    const nango_records_query *query, nango_records **out, nango_error *err);
NANGO_API nango_code nango_list_records_start(nango_client *client,
    const nango_records_query *query, nango_records_done *done, void *user,
    nango_call **call, nango_error *err);

/* Goes through all records of a query, fetching page after page as needed. Nothing is sent
 * yet. `query` is copied. The iterator uses the client for its pages, and is freed before
 * it; free with nango_record_iterator_free(). */
NANGO_API nango_code nango_iterate_records(nango_client *client,
    const nango_records_query *query, nango_record_iterator **out, nango_error *err);

/* The next record: *out is NULL at the end, which is NANGO_OK. Waits; a program on an event
 * loop fetches pages with nango_list_records_start() and nango_records_cursor(). Borrowed until the next call
 * with the iterator. After a failure the same record may be asked for again. */
NANGO_API nango_code nango_record_iterator_next(
    nango_record_iterator *iterator, const nango_record **out, nango_error *err);

/* Frees. Accepts NULL. */
NANGO_API void nango_record_iterator_free(nango_record_iterator *iterator);

/* A query of the deprecated nango_get_records(). */
typedef struct {
    const char *provider_config_key;
    const char *connection_id;
    const char *model;
    const char *delta;
    int64_t offset;              /* 0: none */
    int64_t limit;               /* 0: all */
    const char *sort_by;         /* createdAt, updatedAt or id; NULL: id */
    const char *order;           /* asc or desc; NULL: desc */
    bool include_nango_metadata; /* each is {first_seen_at, …, record} */
    const char *filter;
    const void *reserved[4];
} nango_get_records_query;

/* Fetches records in the way that servers of 2023 knew: GET /sync/records. Deprecated by
 * nango_list_records(). */
NANGO_API nango_code nango_get_records(nango_client *client,
    const nango_get_records_query *query, nango_records **out, nango_error *err);
NANGO_API nango_code nango_get_records_start(nango_client *client,
    const nango_get_records_query *query, nango_records_done *done, void *user,
    nango_call **call, nango_error *err);

/* What to empty; the first four members are needed. */
typedef struct {
    const char *provider_config_key;
    const char *connection_id;
    const char *model;
    const char *until_cursor; /* this record and all before it */
    const char *variant;
    int64_t limit; /* at most this many now; 0: the server's 1000 */
    const void *reserved[4];
} nango_prune_config;

/* What pruning did. */
typedef struct {
    int64_t count; /* records emptied */
    bool has_more; /* there are more up to the cursor: ask again */
} nango_prune_result;

typedef void nango_prune_done(
    const nango_prune_result *result, const nango_error *error, void *user);

/* Empties records on the server that one has copied, keeping their metadata: PATCH
 * /records/prune. `out` is the caller's struct, and zeroed on failure; may be NULL. */
NANGO_API nango_code nango_prune_records(nango_client *client,
    const nango_prune_config *config, nango_prune_result *out, nango_error *err);
/* The callback's `result` is borrowed for the callback; NULL on failure. */
NANGO_API nango_code nango_prune_records_start(nango_client *client,
    const nango_prune_config *config, nango_prune_done *done, void *user,
    nango_call **call, nango_error *err);

/* How many records the page holds. */
NANGO_API size_t nango_records_count(const nango_records *records);

/* A record of the page, counted from 0; NULL beyond the end. Borrowed from the page. */
NANGO_API const nango_record *nango_records_at(
    const nango_records *records, size_t index);

/* Where the next page begins; NULL on the last one. Borrowed. */
NANGO_API const char *nango_records_cursor(const nango_records *records);

/* The answer that the page came with. */
NANGO_API const nango_response *nango_records_response(const nango_records *records);

/* Frees the page and its records. Accepts NULL. */
NANGO_API void nango_records_free(nango_records *records);

/* The record as the script saved it, with a member `_nango_metadata`; of
 * nango_get_records() with include_nango_metadata, the wrapper round it. Borrowed from the
 * page, as the text of the functions below, which is NULL when the server gave none. */
NANGO_API const nango_json *nango_record_json(const nango_record *record);

/* The record's id, when it is a text, as it is on newer servers. */
NANGO_API const char *nango_record_id(const nango_record *record);

/* What happened to it last: ADDED, UPDATED or DELETED. */
NANGO_API const char *nango_record_last_action(const nango_record *record);

/* When it was first seen (ISO 8601, microseconds). */
NANGO_API const char *nango_record_first_seen_at(const nango_record *record);

/* When it changed last (ISO 8601, microseconds). */
NANGO_API const char *nango_record_last_modified_at(const nango_record *record);

/* When it was deleted; NULL while it is not. */
NANGO_API const char *nango_record_deleted_at(const nango_record *record);

/* When its payload was pruned; NULL while it is not. */
NANGO_API const char *nango_record_pruned_at(const nango_record *record);

/* Where a later query goes on after this record. */
NANGO_API const char *nango_record_cursor(const nango_record *record);

#ifdef __cplusplus
}
#endif
#endif
