/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl logs: operations, the oldest first; or the messages of one.
 *
 * As text, a line each, in which nothing can steer the terminal: what scripts and
 * providers say is not ours. As JSON (--json), one document a line as the server gave it.
 *
 * Following asks again each second. Of operations those are shown that are new or have
 * ended since; of one operation its messages, until it has ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/remote.h"
#include "cli/show.h"

enum {
    POLL_SECONDS = 1,
    PAGES_MAX = 4, /* of one look while following */
};
/* How far back a look goes: operations that began before another may be told after it. */
#define OVERLAP_MS 60000

struct options {
    const char *id, *type, *state, *integration, *connection, *script, *search, *level,
        *since, *limit, *host;
    bool follow, json;
    int64_t from_ms; /* of `since`; 0 = none */
};

/* ---- usage ---- */

static bool is_usage(const struct err *err)
{
    return str_eq(err->code, "usage");
}

static bool read_options(int argc, char **argv, struct options *out, struct err *err)
{
    const struct clock real = {0};
    const struct cmd_option table[] = {
        {.name = "--type", .value = &out->type},
        {.name = "--state", .value = &out->state},
        {.name = "--integration", .value = &out->integration},
        {.name = "--connection", .value = &out->connection},
        {.name = "--script", .value = &out->script},
        {.name = "--search", .value = &out->search},
        {.name = "--level", .value = &out->level},
        {.name = "--since", .value = &out->since},
        {.name = "--limit", .value = &out->limit},
        {.name = "--host", .value = &out->host},
        {.name = "--follow", .flag = &out->follow},
        {.name = "--json", .flag = &out->json},
        {.name = NULL},
    };
    int64_t ms = 0;

    if (!cmd_read_line("logs", table, &out->id, 1, argc, argv)) {
        str_copy(err->code, sizeof err->code, "usage"); /* which was told */
        return false;
    }
    if (out->id != NULL &&
        (out->type != NULL || out->state != NULL || out->integration != NULL ||
            out->connection != NULL || out->script != NULL || out->since != NULL))
        return err_set(err, 400, "usage",
            "of one operation there are only messages: --level, --search and --limit "
            "choose among them");
    if (out->since == NULL)
        return true;
    if (!show_read_since(out->since, &ms, err))
        return false;
    out->from_ms = clock_now_ms(&real) - ms;
    return true;
}

/* ---- printing ---- */

static void print_operation(const struct options *options, const cJSON *row)
{
    const cJSON *operation = json_get(row, "operation"), *error = json_get(row, "error");
    const char *action = json_str(operation, "action");
    int64_t ms;

    if (options->json) {
        show_json(row);
        return;
    }
    show_field("", json_str(row, "createdAt"));
    show_field(" ", json_str(row, "id"));
    show_field(" ", json_str(row, "state"));
    show_field(" ", json_str(operation, "type"));
    show_field("/", action);
    show_field(" ", json_str(row, "integrationName"));
    show_field(" ", json_str(row, "connectionName"));
    show_field(" ", json_str(row, "syncConfigName"));
    if (str_eq(action, "call"))
        show_field(" ", json_str(row, "message"));
    if (json_i64(row, "durationMs", &ms))
        printf(" %lld ms", (long long)ms);
    show_field(": ", json_str(error, "message"));
    putchar('\n');
}

static void print_message(const struct options *options, const cJSON *message)
{
    static const char *const shown[] = {"meta"};
    const cJSON *error = json_get(message, "error");
    int64_t number;

    if (options->json) {
        show_json(message);
        return;
    }
    show_field("", json_str(message, "createdAt"));
    printf(" %-5s ", json_str(message, "level"));
    show_field("", json_str(message, "message"));
    if (json_i64(json_get(message, "response"), "code", &number))
        printf(" %lld", (long long)number);
    if (str_eq(json_str(message, "type"), "http"))
        show_field(": ", json_str(error, "message"));
    if (json_i64(message, "durationMs", &number))
        printf(" %lld ms", (long long)number);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        if (json_get(message, shown[i]) != NULL) {
            char *text = json_print(json_get(message, shown[i]));

            show_field(" ", text);
            free(text);
        }
    putchar('\n');
    if (json_str(error, "stack") != NULL) {
        show_field("    ", json_str(error, "stack"));
        putchar('\n');
    }
}

/* ---- asking ---- */

static void pause_a_moment(void)
{
    const struct timespec moment = {.tv_sec = POLL_SECONDS};

    fflush(stdout);
    (void)nanosleep(&moment, NULL); /* cut short, it looks sooner */
}

/* A page; the caller frees. *cursor: of the next one, borrowed from it; NULL = none. */
static cJSON *get_page(const struct remote *remote, const struct buf *path,
    const char **cursor, const cJSON **data, struct err *err)
{
    cJSON *page = remote_get(remote, path->data, err);

    *data = json_get(page, "data");
    *cursor = json_str(json_get(page, "pagination"), "cursor");
    return page;
}

/* ---- operations ---- */

/* Operations of at least that level, by how they ended. */
static const char *states_of(const char *level)
{
    return str_eq(level, "error")  ? "failed,timeout"
           : str_eq(level, "warn") ? "failed,timeout,cancelled"
                                   : NULL;
}

static void put_list_path(struct buf *path, const struct options *options,
    const char *limit, int64_t from_ms, const char *cursor)
{
    char from[32];

    buf_clear(path);
    buf_puts(path, "/logs/operations");
    remote_query(path, "type", options->type);
    remote_query(path, "state",
        options->state != NULL ? options->state : states_of(options->level));
    remote_query(path, "integration", options->integration);
    remote_query(path, "connection", options->connection);
    remote_query(path, "script", options->script);
    remote_query(path, "search", options->search);
    remote_query(path, "limit", limit);
    if (from_ms > 0) {
        (void)snprintf(from, sizeof from, "%lld", (long long)from_ms);
        remote_query(path, "from", from);
    }
    remote_query(path, "cursor", cursor);
}

/* What was shown, while following. */
struct seen {
    char *id;
    char *state;
};
struct follow {
    struct seen *seen;
    size_t count;
    int64_t newest_ms;
};

static bool is_news(struct follow *follow, const cJSON *row)
{
    const char *id = json_str(row, "id"), *state = json_str(row, "state");

    for (size_t i = 0; i < follow->count; i++) {
        struct seen *seen = &follow->seen[i];

        if (!str_eq(seen->id, id))
            continue;
        if (str_eq(seen->state, state))
            return false;
        free(seen->state);
        seen->state = str_dup(state);
        return true;
    }
    follow->seen =
        mem_resize_array(follow->seen, follow->count + 1, sizeof *follow->seen);
    follow->seen[follow->count++] = (struct seen){str_dup(id), str_dup(state)};
    return true;
}

/* Those that no look can come upon again are forgotten: ids begin with the time. */
static void forget(struct follow *follow, const char *before)
{
    size_t kept = 0;

    for (size_t i = 0; i < follow->count; i++) {
        if (strcmp(follow->seen[i].id, before) >= 0) {
            follow->seen[kept++] = follow->seen[i];
            continue;
        }
        free(follow->seen[i].id);
        free(follow->seen[i].state);
    }
    follow->count = kept;
}

static void note_time(struct follow *follow, const cJSON *row)
{
    const char *text = json_str(row, "createdAt");
    int64_t ms;

    if (text != NULL && clock_parse(text, &ms) && ms > follow->newest_ms)
        follow->newest_ms = ms;
}

/* The pages of one look, kept to be printed from the oldest on. */
static bool look(const struct remote *remote, const struct options *options,
    struct follow *follow, const char *limit, int64_t from_ms, size_t pages,
    struct err *err)
{
    cJSON *all[PAGES_MAX] = {NULL};
    const cJSON *data[PAGES_MAX] = {NULL};
    const char *cursor = NULL, *oldest = NULL;
    size_t count = 0;
    struct buf path;
    bool ok = true;

    buf_init(&path, 0);
    do {
        put_list_path(&path, options, limit, from_ms, cursor);
        all[count] = get_page(remote, &path, &cursor, &data[count], err);
        ok = all[count] != NULL;
        count += ok;
    } while (ok && cursor != NULL && count < pages);
    for (size_t i = count; ok && i-- > 0;)
        for (int n = cJSON_GetArraySize(data[i]); n-- > 0;) {
            const cJSON *row = cJSON_GetArrayItem(data[i], n);

            if (oldest == NULL)
                oldest = json_str(row, "id");
            note_time(follow, row);
            if (is_news(follow, row))
                print_operation(options, row);
        }
    if (oldest != NULL && from_ms > 0)
        forget(follow, oldest);
    for (size_t i = 0; i < count; i++)
        cJSON_Delete(all[i]);
    buf_finish(&path);
    return ok;
}

static bool list(
    const struct remote *remote, const struct options *options, struct err *err)
{
    struct follow follow = {0};
    bool ok = look(remote, options, &follow, options->limit, options->from_ms, 1, err);

    while (ok && options->follow) {
        int64_t from_ms = follow.newest_ms - OVERLAP_MS;

        pause_a_moment();
        ok = look(
            remote, options, &follow, "500", from_ms > 0 ? from_ms : 1, PAGES_MAX, err);
    }
    forget(&follow, "~"); /* after every id */
    free(follow.seen);
    return ok;
}

/* ---- one operation ---- */

static bool has_ended(const cJSON *operation)
{
    const char *state = json_str(json_get(operation, "data"), "state");

    return !str_eq(state, "waiting") && !str_eq(state, "running");
}

/* Its messages after *last, which moves on; up to `limit` a page. */
static bool show_messages(const struct remote *remote, const struct options *options,
    const char *path_of_operation, char **last, struct err *err)
{
    const char *cursor = NULL;
    struct buf path;
    bool ok = true;

    buf_init(&path, 0);
    do {
        const cJSON *data, *message;
        cJSON *page;

        buf_clear(&path);
        buf_printf(&path, "%s/messages", path_of_operation);
        remote_query(&path, "level", options->level);
        remote_query(&path, "search", options->search);
        remote_query(&path, "limit", options->limit != NULL ? options->limit : "500");
        remote_query(&path, "cursor", *last);
        page = get_page(remote, &path, &cursor, &data, err);
        ok = page != NULL;
        cJSON_ArrayForEach(message, data)
        {
            const char *id = json_str(message, "id");

            print_message(options, message);
            if (id != NULL && strchr(id, ':') == NULL) { /* a call's have no cursor */
                free(*last);
                *last = str_dup(id);
            }
        }
        if (options->limit != NULL && !options->follow)
            cursor = NULL; /* as many as were asked for */
        cursor = cursor != NULL && ok ? *last : NULL;
        cJSON_Delete(page);
    } while (ok && cursor != NULL);
    buf_finish(&path);
    return ok;
}

static bool show(
    const struct remote *remote, const struct options *options, struct err *err)
{
    char *last = NULL;
    bool ok = true, ended = false, first = true;
    struct buf path;

    buf_init(&path, 0);
    buf_puts(&path, "/logs/operations/");
    str_uri_component(options->id, strlen(options->id), &path);
    while (ok && !ended) {
        cJSON *operation = remote_get(remote, path.data, err);

        ok = operation != NULL;
        if (ok && first && !options->json)
            print_operation(options, json_get(operation, "data"));
        ended = ok && (has_ended(operation) || !options->follow);
        ok = ok && show_messages(remote, options, path.data, &last, err);
        if (ok && ended && options->follow && !first && !options->json)
            print_operation(options, json_get(operation, "data"));
        cJSON_Delete(operation);
        first = false;
        if (ok && !ended)
            pause_a_moment();
    }
    free(last);
    buf_finish(&path);
    return ok;
}

int cmd_logs(int argc, char **argv)
{
    struct options options = {0};
    struct remote remote = {0};
    struct err err = {0};
    bool ok = read_options(argc, argv, &options, &err) &&
              remote_init(&remote, options.host, NULL, &err) &&
              (options.id != NULL ? show(&remote, &options, &err)
                                  : list(&remote, &options, &err));

    remote_finish(&remote);
    if (ok)
        return fflush(stdout) == 0 ? 0 : 1;
    if (err.message[0] == '\0')
        return EXIT_USAGE; /* told already */
    return cmd_fail("logs", &err, is_usage(&err) ? EXIT_USAGE : 1);
}
