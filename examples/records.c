/* SPDX-License-Identifier: Apache-2.0 */
/* Records: a page, then all of them by an iterator, then what was read is pruned.
 *
 *   records INTEGRATION CONNECTION MODEL */
#include <inttypes.h>
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    nango_records_query query = {.limit = 1};
    nango_prune_config prune = {0};
    nango_prune_result pruned;
    nango_client *client = NULL;
    nango_records *page = NULL;
    nango_record_iterator *iterator = NULL;
    const nango_record *record;
    char last[256] = "";
    nango_error err;
    int status = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: records INTEGRATION CONNECTION MODEL\n");
        return 2;
    }
    query.provider_config_key = prune.provider_config_key = argv[1];
    query.connection_id = prune.connection_id = argv[2];
    query.model = prune.model = argv[3];
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_list_records(client, &query, &page, &err) != NANGO_OK)
        goto done;
    printf("first page: %zu, %s\n", nango_records_count(page),
        nango_records_cursor(page) != NULL ? "there are more" : "that is all");

    if (nango_iterate_records(client, &query, &iterator, &err) != NANGO_OK)
        goto done;
    for (;;) {
        if (nango_record_iterator_next(iterator, &record, &err) != NANGO_OK)
            goto done;
        if (record == NULL)
            break;
        printf("%s %s, n=%" PRId64 "\n", nango_record_id(record),
            nango_record_last_action(record),
            nango_json_int_at(nango_record_json(record), "/n", -1));
        /* The next program's run can go on from here: query.cursor. */
        if (nango_record_cursor(record) != NULL)
            snprintf(last, sizeof last, "%s", nango_record_cursor(record));
    }
    prune.until_cursor = last;
    if (nango_prune_records(client, &prune, &pruned, &err) != NANGO_OK)
        goto done;
    printf(
        "pruned: %" PRId64 "%s\n", pruned.count, pruned.has_more ? ", more to do" : "");
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_record_iterator_free(iterator);
    nango_records_free(page);
    nango_client_free(client);
    return status;
}
