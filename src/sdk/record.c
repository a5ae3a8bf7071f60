/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a page of records, and of each one of them. */
#include "sdk/methods_int.h"

size_t nango_records_count(const nango_records *records)
{
    return ngo_list_count(records);
}

const nango_record *nango_records_at(const nango_records *records, size_t index)
{
    return ngo_list_at((const struct ngo_list *)records, index);
}

const char *nango_records_cursor(const nango_records *records)
{
    return nango_json_string_at(
        nango_response_json(ngo_list_response(records)), "/next_cursor", NULL);
}

const nango_response *nango_records_response(const nango_records *records)
{
    return ngo_list_response(records);
}

void nango_records_free(nango_records *records)
{
    ngo_list_free(records);
}

/* The record within {first_seen_at, …, record}; NULL when it stands alone, as it always
 * does but for nango_get_records() with include_nango_metadata. */
static const nango_json *wrapped(const nango_record *record)
{
    const nango_json *inner = ngo_item_member(record, "record");

    if (ngo_item_member(record, "_nango_metadata") != NULL ||
        nango_json_type_of(inner) != NANGO_JSON_OBJECT)
        return NULL;
    return inner;
}

/* A member of the metadata, which a wrapped record has around it. */
static const char *metadata(const nango_record *record, const char *name)
{
    const nango_json *at = ngo_item_member(record, "_nango_metadata");

    if (at == NULL && wrapped(record) != NULL)
        at = ngo_item_json(record);
    return nango_json_string(nango_json_get(at, name), NULL);
}

const nango_json *nango_record_json(const nango_record *record)
{
    return ngo_item_json(record);
}

const char *nango_record_id(const nango_record *record)
{
    const nango_json *inner = wrapped(record);

    return nango_json_string_at(
        inner != NULL ? inner : ngo_item_json(record), "/id", NULL);
}

const char *nango_record_last_action(const nango_record *record)
{
    return metadata(record, "last_action");
}

const char *nango_record_first_seen_at(const nango_record *record)
{
    return metadata(record, "first_seen_at");
}

const char *nango_record_last_modified_at(const nango_record *record)
{
    return metadata(record, "last_modified_at");
}

const char *nango_record_deleted_at(const nango_record *record)
{
    return metadata(record, "deleted_at");
}

const char *nango_record_pruned_at(const nango_record *record)
{
    return metadata(record, "pruned_at");
}

const char *nango_record_cursor(const nango_record *record)
{
    return metadata(record, "cursor");
}
