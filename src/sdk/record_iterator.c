/* SPDX-License-Identifier: Apache-2.0 */
/* All records of a query, page by page. One page is held at a time: its cursor is copied
 * before it is let go, so that a page that cannot be fetched can be asked for again.
 *
 *   page, index < count --next--> the record at index
 *   page at its end, cursor ----> page freed, the one at the cursor fetched; as above
 *   page at its end, none ------> the end */
#include "sdk/methods_int.h"

#include <string.h>

struct nango_record_iterator {
    nango_client *client;
    struct ngo_mem mem;
    nango_records_query query; /* its texts follow the struct, its cursor not always */
    char *cursor;              /* where the page that is fetched next begins; our copy */
    nango_records *page;
    size_t index; /* of the next record */
    bool ended;
};

/* The members of a query that are texts. */
static const size_t texts[] = {
    offsetof(nango_records_query, provider_config_key),
    offsetof(nango_records_query, connection_id),
    offsetof(nango_records_query, model),
    offsetof(nango_records_query, variant),
    offsetof(nango_records_query, delta),
    offsetof(nango_records_query, modified_after),
    offsetof(nango_records_query, filter),
    offsetof(nango_records_query, cursor),
};

#define TEXT_COUNT (sizeof texts / sizeof texts[0])

static const char **text_at(nango_records_query *query, size_t i)
{
    return (const char **)(void *)((char *)query + texts[i]);
}

static size_t size_of(const char *s)
{
    return s == NULL ? 0 : strlen(s) + 1;
}

/* What the ids and all texts take; false when an id is NULL or that is too much. */
static bool measure(const nango_records_query *query, size_t *size)
{
    nango_records_query copy = *query;

    if (query->id_count > SIZE_MAX / 2 / sizeof(char *))
        return false;
    *size = query->id_count * sizeof(char *);
    for (size_t i = 0; i < TEXT_COUNT; i++)
        *size += size_of(*text_at(&copy, i));
    for (size_t i = 0; i < query->id_count; i++) {
        if (query->ids == NULL || query->ids[i] == NULL)
            return false;
        *size += size_of(query->ids[i]);
    }
    return true;
}

/* Puts a text at *at, which moves behind it. */
static const char *put(char **at, const char *s)
{
    const size_t size = size_of(s);
    char *copy = *at;

    if (s == NULL)
        return NULL;
    memcpy(copy, s, size);
    *at += size;
    return copy;
}

/* Copies the query behind the iterator, where there is room for it. */
static void copy_query(nango_record_iterator *iterator, const nango_records_query *query)
{
    const char **ids = (const char **)(void *)(iterator + 1);
    char *at = (char *)(ids + query->id_count);

    iterator->query = *query;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char **text = text_at(&iterator->query, i);

        *text = put(&at, *text);
    }
    for (size_t i = 0; i < query->id_count; i++)
        ids[i] = put(&at, query->ids[i]);
    iterator->query.ids = ids;
}

nango_code nango_iterate_records(nango_client *client, const nango_records_query *query,
    nango_record_iterator **out, nango_error *err)
{
    nango_record_iterator *iterator;
    const char *lacking;
    size_t size;

    if (out == NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "out is NULL");
    *out = NULL;
    if (client == NULL || query == NULL)
        return ngo_error_set(
            err, NANGO_E_ARGUMENT, "%s is NULL", client == NULL ? "client" : "query");
    lacking =
        ngo_records_lack(query->model, query->provider_config_key, query->connection_id);
    if (lacking != NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, NGO_LACKS, lacking);
    if (!measure(query, &size))
        return ngo_error_set(err, NANGO_E_ARGUMENT, "Each id is required");
    iterator = ngo_alloc(ngo_client_mem(client), sizeof *iterator + size);
    if (iterator == NULL)
        return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    iterator->client = client;
    iterator->mem = *ngo_client_mem(client);
    copy_query(iterator, query);
    *out = iterator;
    ngo_error_clear(err);
    return NANGO_OK;
}

/* Lets the page go that was read, remembering where the next one begins; or ends. */
static bool leave_page(nango_record_iterator *iterator)
{
    const char *next = nango_records_cursor(iterator->page);
    char *cursor = NULL;

    if (next != NULL) {
        cursor = ngo_strdup(&iterator->mem, next);
        if (cursor == NULL)
            return false;
    }
    ngo_free(&iterator->mem, iterator->cursor);
    iterator->cursor = cursor;
    iterator->query.cursor = cursor;
    iterator->ended = cursor == NULL;
    nango_records_free(iterator->page);
    iterator->page = NULL;
    return true;
}

static nango_code fetch_page(nango_record_iterator *iterator, nango_error *err)
{
    const char *cursor = iterator->query.cursor;
    nango_records *page;
    const char *next;
    nango_code code = nango_list_records(iterator->client, &iterator->query, &page, err);

    if (code != NANGO_OK)
        return code;
    next = nango_records_cursor(page);
    if (next != NULL && cursor != NULL && strcmp(next, cursor) == 0) {
        nango_records_free(page);
        return ngo_error_set(err, NANGO_E_PARSE, "the server gave the same cursor twice");
    }
    iterator->page = page;
    iterator->index = 0;
    return NANGO_OK;
}

nango_code nango_record_iterator_next(
    nango_record_iterator *iterator, const nango_record **out, nango_error *err)
{
    nango_code code;

    if (out == NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "out is NULL");
    *out = NULL;
    if (iterator == NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "iterator is NULL");
    /* Pages may be empty and yet have one after them. */
    while (!iterator->ended) {
        if (iterator->page == NULL) {
            code = fetch_page(iterator, err);
            if (code != NANGO_OK)
                return code;
        }
        *out = nango_records_at(iterator->page, iterator->index);
        if (*out != NULL) {
            iterator->index++;
            break;
        }
        if (!leave_page(iterator))
            return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    }
    ngo_error_clear(err);
    return NANGO_OK;
}

void nango_record_iterator_free(nango_record_iterator *iterator)
{
    struct ngo_mem mem;

    if (iterator == NULL)
        return;
    mem = iterator->mem;
    nango_records_free(iterator->page);
    ngo_free(&mem, iterator->cursor);
    ngo_free(&mem, iterator);
}
