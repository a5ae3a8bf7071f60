/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs: run one now, start and stop its schedule, see how it stands, change how often it
 * runs, make and delete a variant.
 *
 *   syncs INTEGRATION CONNECTION SYNC MODEL */
#include <inttypes.h>
#include <nango/nango.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const nango_trigger_options afresh = {.form = NANGO_TRIGGER_OPTS, .reset = true};
    nango_sync sync = {0};
    nango_sync variant = {.variant = "v1"};
    nango_client *client = NULL;
    nango_response *response = NULL;
    nango_sync_states *states = NULL;
    const char *key = argv[1];
    const char *id = argv[2];
    int64_t added, updated, deleted;
    nango_error err;
    int status = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: syncs INTEGRATION CONNECTION SYNC MODEL\n");
        return 2;
    }
    sync.name = variant.name = argv[3];
    if (nango_client_new_from_env(NULL, &client, &err) != NANGO_OK ||
        nango_trigger_sync(client, key, &sync, 1, id, &afresh, NULL, &err) != NANGO_OK ||
        nango_pause_sync(client, key, &sync, 1, id, NULL, &err) != NANGO_OK ||
        nango_start_sync(client, key, &sync, 1, id, NULL, &err) != NANGO_OK ||
        nango_sync_status(client, key, &sync, 1, id, &states, &err) != NANGO_OK)
        goto done;
    for (size_t i = 0; i < nango_sync_states_count(states); i++) {
        const nango_sync_state *one = nango_sync_states_at(states, i);

        printf("%s (%s): %s, %s\n", nango_sync_state_name(one),
            nango_sync_state_variant(one), nango_sync_state_status(one),
            nango_sync_state_frequency(one));
        printf("records: %" PRId64 "\n", nango_sync_state_record_count(one, argv[4]));
        if (nango_sync_state_latest(one, argv[4], &added, &updated, &deleted))
            printf("last run: %" PRId64 " added, %" PRId64 " updated, %" PRId64
                   " deleted\n",
                added, updated, deleted);
    }
    if (nango_update_sync_connection_frequency(
            client, key, &sync, id, "every 2 hours", &response, &err) != NANGO_OK)
        goto done;
    printf("now every %s\n",
        nango_json_string_at(nango_response_json(response), "/frequency", "?"));
    nango_response_free(response);
    if (nango_create_sync_variant(client, key, id, &variant, &response, &err) !=
            NANGO_OK ||
        nango_delete_sync_variant(client, key, id, &variant, NULL, &err) != NANGO_OK)
        goto done;
    printf("variant made and deleted\n");
    status = 0;

done:
    if (status != 0)
        fprintf(stderr, "%s\n", err.message);
    nango_response_free(response);
    nango_sync_states_free(states);
    nango_client_free(client);
    return status;
}
