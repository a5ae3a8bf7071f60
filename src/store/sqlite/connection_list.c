/* SPDX-License-Identifier: Apache-2.0 */
/* Listing connections by filter. The text is put together from fixed pieces, one for each
 * condition that is set; values are always parameters.
 *
 *   SELECT … FROM (ids of the page, by one index alone) p CROSS JOIN connection …
 *
 * The inner select decides, on narrow index entries, which rows the page has; only those
 * are then read whole. SQLite cannot know how many rows a condition leaves, so the way in
 * is chosen here, the narrowest that the filter offers:
 *
 *   a connection id      the unique index of live connections
 *   a rare tag           the tag's connections
 *   an end user, an organization, one integration      the index of each
 *   else                 newest first until the page is full
 *
 * "Rare" is found by counting up to a bound: of a tag that most connections have, the
 * newest are quicker walked than all of them sorted.
 *
 * Substring search (fold.h) is the one filter that looks at every connection of the
 * environment. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "store/sqlite/connection_rows.h"
#include "store/sqlite/sqlite_int.h"

enum {
    LIMIT_DEFAULT = 10000,
    TAGS_MAX = 100,
    RARE_MAX = 2000, /* connections with a tag, for it to be the way in */
    PARAMETERS_MAX = 2 * TAGS_MAX + 16,
};

/* ---- a statement under construction ---- */

struct parameter {
    const char *text; /* NULL = number */
    int64_t number;
};

struct statement {
    struct buf text;
    struct parameter parameters[PARAMETERS_MAX];
    size_t count;
};

static void add(struct statement *s, const char *text)
{
    buf_puts(&s->text, text);
}

static void add_text(struct statement *s, const char *value)
{
    assert(s->count < PARAMETERS_MAX);
    s->parameters[s->count++] = (struct parameter){.text = value};
}

static void add_number(struct statement *s, int64_t value)
{
    assert(s->count < PARAMETERS_MAX);
    s->parameters[s->count++] = (struct parameter){.number = value};
}

static struct sql begin_statement(struct sql_conn *conn, const struct statement *s)
{
    struct sql q = sql_begin_once(conn, s->text.data);

    for (size_t i = 0; i < s->count; i++) {
        if (s->parameters[i].text != NULL)
            sql_text(&q, s->parameters[i].text);
        else
            sql_i64(&q, s->parameters[i].number);
    }
    return q;
}

/* One parameter for any number of keys. */
static char *json_array(const char *const *texts, size_t count)
{
    struct buf out;

    buf_init(&out, 0);
    buf_putc(&out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_putc(&out, ',');
        json_append_string(&out, texts[i]);
    }
    buf_putc(&out, ']');
    return buf_take(&out, NULL);
}

/* ---- the way in ---- */

enum way {
    BY_NEWEST,
    BY_CONNECTION_ID,
    BY_TAG,
    BY_END_USER,
    BY_ORGANIZATION,
    BY_INTEGRATION,
};

static const struct {
    const char *from;
    bool needs_environment; /* no condition of this way implies it */
} ways[] = {
    [BY_NEWEST] = {"connection c INDEXED BY connection_newest", true},
    [BY_CONNECTION_ID] = {"connection c INDEXED BY connection_live", false},
    [BY_TAG] = {"connection c NOT INDEXED", true}, /* = by row id */
    [BY_END_USER] = {"connection c INDEXED BY connection_of_end_user", false},
    [BY_ORGANIZATION] = {"connection c INDEXED BY connection_of_end_user", false},
    [BY_INTEGRATION] = {"connection c INDEXED BY connection_of_integration", false},
};

/* How many connections have the tag; counts to `bound` at most. */
static bool count_tag(struct sql_conn *conn, const char *key, const char *value,
    int64_t bound, int64_t *out, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT count(*) FROM (SELECT 1 FROM connection_tag "
                                   "WHERE key = ? AND value = ? LIMIT ?)");
    enum sql_result step;

    sql_text(&q, key);
    sql_text(&q, value);
    sql_i64(&q, bound);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *out = sql_take_i64(&q, 0);
    sql_end(&q);
    return step == SQL_ROW;
}

/* *tag: the one to come in by, for BY_TAG. */
static bool choose_way(struct sql_conn *conn, const struct connection_filter *filter,
    enum way *way, size_t *tag, struct err *err)
{
    int64_t fewest = RARE_MAX;

    *way = BY_NEWEST;
    if (filter->connection_id != NULL) {
        *way = BY_CONNECTION_ID;
        return true;
    }
    for (size_t i = 0; i < filter->tag_count && fewest > 0; i++) {
        int64_t count;

        if (!count_tag(
                conn, filter->tag_keys[i], filter->tag_values[i], fewest, &count, err))
            return false;
        if (count < fewest) {
            fewest = count;
            *way = BY_TAG;
            *tag = i;
        }
    }
    if (*way == BY_TAG)
        return true;
    if (filter->end_user_id != NULL)
        *way = BY_END_USER;
    else if (filter->organization_id != NULL)
        *way = BY_ORGANIZATION;
    else if (filter->integration_count == 1)
        *way = BY_INTEGRATION;
    return true;
}

/* ---- conditions ---- */

#define INTEGRATIONS "SELECT id FROM integration WHERE environment = ? AND deleted_at = 0"

static void add_integrations(struct statement *s, const struct connection_filter *filter,
    const char *integrations, enum way way)
{
    if (filter->integration_count == 1) {
        add(s, " AND c.integration = (" INTEGRATIONS " AND unique_key = ?)");
        add_number(s, filter->environment_id);
        add_text(s, filter->integrations[0]);
    } else if (filter->integration_count > 1) {
        add(s, " AND c.integration IN (" INTEGRATIONS
               " AND unique_key IN (SELECT value FROM json_each(?)))");
        add_number(s, filter->environment_id);
        add_text(s, integrations);
    } else if (way == BY_CONNECTION_ID) { /* its index begins with the integration */
        add(s, " AND c.integration IN (" INTEGRATIONS ")");
        add_number(s, filter->environment_id);
    }
}

static void add_tags(
    struct statement *s, const struct connection_filter *filter, enum way way, size_t tag)
{
    for (size_t i = 0; i < filter->tag_count; i++) {
        if (way == BY_TAG && i == tag)
            add(s, " AND c.id IN (SELECT connection FROM connection_tag "
                   "WHERE key = ? AND value = ?)");
        else
            add(s, " AND EXISTS (SELECT 1 FROM connection_tag t "
                   "WHERE t.key = ? AND t.value = ? AND t.connection = c.id)");
        add_text(s, filter->tag_keys[i]);
        add_text(s, filter->tag_values[i]);
    }
}

static void add_persons(
    struct statement *s, const struct connection_filter *filter, const char *search)
{
    if (filter->end_user_id != NULL) {
        add(s, " AND c.end_user = (SELECT id FROM end_user "
               "WHERE environment = ? AND end_user_id = ?)");
        add_number(s, filter->environment_id);
        add_text(s, filter->end_user_id);
    }
    if (filter->organization_id != NULL) {
        add(s, " AND c.end_user IN (SELECT id FROM end_user "
               "WHERE environment = ? AND organization_id = ?)");
        add_number(s, filter->environment_id);
        add_text(s, filter->organization_id);
    }
    if (filter->search != NULL) {
        add(s, " AND (folded_contains(c.connection_id, ?) OR c.end_user IN "
               "(SELECT id FROM end_user WHERE environment = ? AND "
               "(folded_contains(display_name, ?) OR folded_contains(email, ?))))");
        add_text(s, search);
        add_number(s, filter->environment_id);
        add_text(s, search);
        add_text(s, search);
    }
}

static void write_statement(struct statement *s, const struct connection_filter *filter,
    const char *search, const char *integrations, enum way way, size_t tag)
{
    add(s, CONNECTION_COLUMNS("NULL", "NULL") "FROM (SELECT c.id AS id FROM ");
    add(s, ways[way].from);
    add(s, " WHERE c.deleted_at = 0");
    if (ways[way].needs_environment) {
        add(s, " AND c.environment = ?");
        add_number(s, filter->environment_id);
    }
    if (filter->connection_id != NULL) {
        add(s, " AND c.connection_id = ?");
        add_text(s, filter->connection_id);
    }
    add_integrations(s, filter, integrations, way);
    add_tags(s, filter, way, tag);
    add_persons(s, filter, search);
    add(s, " ORDER BY c.created_at DESC, c.id DESC LIMIT ? OFFSET ?) p "
           "CROSS JOIN connection c ON c.id = p.id " CONNECTION_JOINS
           "ORDER BY c.created_at DESC, c.id DESC");
    add_number(s, (int64_t)(filter->limit > 0 ? filter->limit : LIMIT_DEFAULT));
    add_number(s, (int64_t)filter->offset);
}

/* ---- listing ---- */

static bool list(struct sql_conn *conn, const struct connection_filter *filter,
    struct connection_row ***rows, size_t *used, struct err *err)
{
    struct statement s = {.count = 0};
    enum way way;
    size_t tag = 0;
    char *search, *integrations;
    enum sql_result step;
    struct sql q;

    if (!choose_way(conn, filter, &way, &tag, err))
        return false;
    search = filter->search != NULL ? fold_text(conn->letters, filter->search) : NULL;
    integrations = json_array(filter->integrations, filter->integration_count);
    buf_init(&s.text, 0);
    write_statement(&s, filter, search, integrations, way, tag);
    q = begin_statement(conn, &s);
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        *rows = sql_room(*rows, *used, sizeof **rows);
        (*rows)[(*used)++] = sqlite_take_connection(&q);
    }
    sql_end(&q);
    buf_finish(&s.text);
    free(search);
    free(integrations);
    return step == SQL_DONE;
}

bool sqlite_list_connections(struct backend *b, const struct connection_filter *filter,
    struct connection_row ***out, size_t *count, struct err *err)
{
    struct connection_row **rows = NULL;
    struct sql_conn *conn;
    size_t used = 0;
    bool ok;

    *out = NULL;
    *count = 0;
    if (filter->tag_count > TAGS_MAX)
        return err_set(err, 400, "invalid_query_params", "more than %d tags", TAGS_MAX);
    conn = sqlite_reader(b, err);
    ok = conn != NULL && list(conn, filter, &rows, &used, err);
    sqlite_reader_done(b, conn);
    if (!ok) {
        store_connections_free(rows, used);
        return false;
    }
    *out = rows;
    *count = used;
    return true;
}
