/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl webhooks: what was sent to whom and what came of it, the newest first; one of
 * them with its attempts and its body; or sending some again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/remote.h"
#include "cli/show.h"

struct options {
    const char *words[2]; /* the verb and an id */
    const char *state, *type, *integration, *connection, *limit, *since, *host;
    bool dead, json;
};

static bool usage(struct err *err, const char *what)
{
    return err_set(err, 400, "usage", "%s", what);
}

static bool read_options(int argc, char **argv, struct options *out, struct err *err)
{
    const struct cmd_option table[] = {
        {.name = "--state", .value = &out->state},
        {.name = "--type", .value = &out->type},
        {.name = "--integration", .value = &out->integration},
        {.name = "--connection", .value = &out->connection},
        {.name = "--limit", .value = &out->limit},
        {.name = "--since", .value = &out->since},
        {.name = "--host", .value = &out->host},
        {.name = "--dead", .flag = &out->dead},
        {.name = "--json", .flag = &out->json},
        {.name = NULL},
    };

    if (!cmd_read_line("webhooks", table, out->words, 2, argc, argv)) {
        str_copy(err->code, sizeof err->code, "usage"); /* which was told */
        return false;
    }
    if (out->words[0] == NULL)
        return usage(err, "one of `list`, `show ID`, `replay ID` and `replay --dead`");
    return true;
}

/* ---- showing ---- */

static void show_delivery(const cJSON *row)
{
    int64_t number;

    show_field("", json_str(row, "created_at"));
    show_field(" ", json_str(row, "id"));
    show_field(" ", json_str(row, "state"));
    show_field(" ", json_str(row, "type"));
    show_field(" ", json_str(row, "integration"));
    show_field(" ", json_str(row, "connection"));
    show_field(" → ", json_str(row, "url"));
    if (json_i64(row, "attempts", &number))
        printf(" (%lld attempt%s)", (long long)number, number == 1 ? "" : "s");
    show_field(": ", json_str(row, "error"));
    show_field("; again at ", json_str(row, "next_attempt_at"));
    putchar('\n');
}

static bool list(
    const struct remote *remote, const struct options *options, struct err *err)
{
    const cJSON *row;
    struct buf path;
    cJSON *page;

    if (options->words[1] != NULL)
        return usage(err, "list: options choose, not words");
    buf_init(&path, 0);
    buf_puts(&path, "/webhooks/deliveries");
    remote_query(&path, "state", options->state);
    remote_query(&path, "type", options->type);
    remote_query(&path, "integration", options->integration);
    remote_query(&path, "connection", options->connection);
    remote_query(&path, "limit", options->limit);
    page = remote_get(remote, path.data, err);
    buf_finish(&path);
    cJSON_ArrayForEach(row, json_get(page, "data"))
    {
        if (options->json)
            show_json(row);
        else
            show_delivery(row);
    }
    cJSON_Delete(page);
    return page != NULL;
}

static void put_path(struct buf *path, const char *id)
{
    buf_init(path, 0);
    buf_puts(path, "/webhooks/deliveries/");
    str_uri_component(id, strlen(id), path);
}

static void show_attempt(const cJSON *attempt)
{
    int64_t number;

    show_field("  ", json_str(attempt, "started_at"));
    if (json_i64(attempt, "status", &number))
        printf(" %lld", (long long)number);
    if (json_i64(attempt, "duration_ms", &number))
        printf(" %lld ms", (long long)number);
    show_field(" ", json_str(attempt, "error"));
    show_field(": ", json_str(attempt, "answer"));
    putchar('\n');
}

static bool show(
    const struct remote *remote, const struct options *options, struct err *err)
{
    const cJSON *data, *attempt;
    struct buf path;
    cJSON *answer;

    if (options->words[1] == NULL)
        return usage(err, "show: which one? `nangoctl webhooks list` has the ids");
    put_path(&path, options->words[1]);
    answer = remote_get(remote, path.data, err);
    buf_finish(&path);
    if (answer == NULL)
        return false;
    data = json_get(answer, "data");
    if (options->json) {
        show_json(data);
    } else {
        show_delivery(data);
        cJSON_ArrayForEach(attempt, json_get(data, "history"))
        {
            show_attempt(attempt);
        }
        show_field("  ", json_str(data, "body"));
        putchar('\n');
    }
    cJSON_Delete(answer);
    return true;
}

/* ---- again ---- */

static cJSON *replay_body(const struct options *options, struct err *err)
{
    const struct clock real = {0};
    cJSON *body = cJSON_CreateObject();
    char text[CLOCK_TEXT_SIZE];
    int64_t ms = 0;

    if (options->since == NULL)
        return body;
    if (!show_read_since(options->since, &ms, err)) {
        cJSON_Delete(body);
        return NULL;
    }
    clock_text_z(clock_now_ms(&real) - ms, text);
    json_set_str(body, "since", text);
    return body;
}

static bool replay(
    const struct remote *remote, const struct options *options, struct err *err)
{
    struct buf path;
    cJSON *body, *answer;
    int64_t count = 0;

    if ((options->words[1] != NULL) == options->dead)
        return usage(err, "replay: an id, or --dead for all that could not be delivered");
    body = replay_body(options, err);
    if (body == NULL)
        return false;
    if (options->dead) {
        buf_init(&path, 0);
        buf_puts(&path, "/webhooks/deliveries/replay");
    } else {
        put_path(&path, options->words[1]);
        buf_puts(&path, "/replay");
    }
    answer = remote_post(remote, path.data, body, err);
    buf_finish(&path);
    cJSON_Delete(body);
    if (answer == NULL)
        return false;
    if (options->json)
        show_json(json_get(answer, "data"));
    else if (json_i64(json_get(answer, "data"), "replayed", &count))
        printf("%lld to be sent again\n", (long long)count);
    cJSON_Delete(answer);
    return true;
}

int cmd_webhooks(int argc, char **argv)
{
    static const struct {
        const char *verb;
        bool (*run)(const struct remote *, const struct options *, struct err *);
    } verbs[] = {{"list", list}, {"show", show}, {"replay", replay}};
    struct options options = {0};
    struct remote remote = {0};
    struct err err = {0};
    bool ok = read_options(argc, argv, &options, &err) &&
              remote_init(&remote, options.host, NULL, &err);
    bool known = false;

    for (size_t i = 0; ok && i < sizeof verbs / sizeof verbs[0]; i++)
        if (!known && str_eq(options.words[0], verbs[i].verb)) {
            known = true;
            ok = verbs[i].run(&remote, &options, &err);
        }
    if (ok && !known)
        ok = usage(&err, "one of `list`, `show ID`, `replay ID` and `replay --dead`");
    remote_finish(&remote);
    if (ok)
        return fflush(stdout) == 0 ? 0 : 1;
    if (err.message[0] == '\0')
        return EXIT_USAGE; /* told already */
    return cmd_fail("webhooks", &err, str_eq(err.code, "usage") ? EXIT_USAGE : 1);
}
