/* SPDX-License-Identifier: Apache-2.0 */
/* Records of syncs. */
#include <stdlib.h>

#include "lists.h"

static void put_cursor(struct out *out, const nango_records *records)
{
    put_text(out, "cursor", nango_records_cursor(records));
}

LIST_ENDED(records, put_record, put_cursor);

static void fill_query(struct run *run, nango_records_query *query)
{
    *query = (nango_records_query){
        .provider_config_key = arg_text(run, "providerConfigKey"),
        .connection_id = arg_text(run, "connectionId"),
        .model = arg_text(run, "model"),
        .variant = arg_text(run, "variant"),
        .delta = arg_text(run, "delta"),
        .modified_after = arg_text(run, "modifiedAfter"),
        .limit = arg_int(run, "limit"),
        .filter = arg_text(run, "filter"),
        .cursor = arg_text(run, "cursor"),
    };
    query->ids = get_texts(run, run->args, "ids", &query->id_count);
}

static void list_records(struct run *run)
{
    nango_records_query query;

    fill_query(run, &query);
    CALL(run, records, list_records, &query);
}

/* All records, one after the other. There is no other form: with --async the client has a
 * loop beside it, which changes nothing. After a failure "$again" asks once more, as the
 * header allows. */
static void iterate_records(struct run *run)
{
    nango_records_query query;
    nango_record_iterator *iterator = NULL;
    const nango_record *record;
    int again = (int)arg_int(run, "$again");
    struct out seen = {0};
    char *list = NULL;
    size_t len = 0;
    nango_document *document;

    fill_query(run, &query);
    run->returned = true;
    if (nango_iterate_records(run->client, &query, &iterator, &run->error) != NANGO_OK) {
        if (iterator != NULL)
            fault("an iterator together with a failure");
        run_begin(run, &run->error, false);
        run_end(run);
        return;
    }
    query = (nango_records_query){0};
    run_free_args(run); /* the query was copied */
    seen.file = must(open_memstream(&list, &len));
    put_open(&seen, NULL, '[');
    for (;;) {
        nango_code code = nango_record_iterator_next(iterator, &record, &run->error);

        if (code != run->error.code)
            fault("the iterator's code and error differ");
        if (code != NANGO_OK && again-- > 0)
            continue;
        if (code != NANGO_OK || record == NULL)
            break;
        put_record(&seen, NULL, record);
    }
    put_close(&seen, ']');
    fclose(seen.file);
    run_begin(run, &run->error, false);
    if (nango_document_parse(list, len, &document, NULL) != NANGO_OK)
        fault("the driver wrote no JSON: %s", list);
    put_json(&run->out, "typed", nango_document_root(document));
    nango_document_free(document);
    free(list);
    run_end(run);
    nango_record_iterator_free(iterator);
}

static void get_records(struct run *run)
{
    nango_get_records_query query = {
        .provider_config_key = arg_text(run, "providerConfigKey"),
        .connection_id = arg_text(run, "connectionId"),
        .model = arg_text(run, "model"),
        .delta = arg_text(run, "delta"),
        .offset = arg_int(run, "offset"),
        .limit = arg_int(run, "limit"),
        .sort_by = arg_text(run, "sortBy"),
        .order = arg_text(run, "order"),
        .include_nango_metadata = arg_bool(run, "includeNangoMetadata"),
        .filter = arg_text(run, "filter"),
    };

    CALL(run, records, get_records, &query);
}

static void prune_ended(
    const nango_prune_result *result, const nango_error *error, void *user)
{
    struct run *run = user;

    if (run_begin(run, error, result != NULL)) {
        put_open(&run->out, "typed", '{');
        put_int(&run->out, "count", result->count);
        put_bool(&run->out, "has_more", result->has_more);
        put_close(&run->out, '}');
    }
    run_end(run);
}

/* Not by CALL(): the result is the caller's struct. */
static void prune_records(struct run *run)
{
    nango_prune_config config = {
        .provider_config_key = arg_text(run, "providerConfigKey"),
        .connection_id = arg_text(run, "connectionId"),
        .model = arg_text(run, "model"),
        .until_cursor = arg_text(run, "untilCursor"),
        .variant = arg_text(run, "variant"),
        .limit = arg_int(run, "limit"),
    };
    nango_prune_result result = {.count = -7, .has_more = true};
    nango_code code;

    if (run->loop != NULL) {
        run_started(run, nango_prune_records_start(run->client, &config, prune_ended, run,
                             &run->call, &run->error));
        return;
    }
    code = nango_prune_records(
        run->client, &config, run->discard ? NULL : &result, &run->error);
    run_returned(run, code, true);
    if (code != NANGO_OK && !run->discard && (result.count != 0 || result.has_more))
        fault("the result of a failed nango_prune_records() is not zeroed");
    prune_ended(code == NANGO_OK && !run->discard ? &result : NULL, &run->error, run);
}

const struct method record_methods[] = {
    {"listRecords", list_records},
    {"iterateRecords", iterate_records},
    {"getRecords", get_records},
    {"pruneRecords", prune_records},
    {NULL, NULL},
};
