/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl dryrun: runs one script in nango-runner, and prints one JSON object with what it
 * returned and would have saved.
 *
 *   dryrun SCRIPT CONNECTION_ID    of a project, against a connection of a server
 *   dryrun SCRIPT --fixture FILE   of a project, against a recording
 *   dryrun --script FILE …         a compiled file, against a recording
 *
 * Against a recording the exit code is 0 whenever there is a result to judge; against a
 * connection it is 1 when the script failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_raw.h"
#include "base/str.h"
#include "cli/bundle.h"
#include "cli/cmd.h"
#include "cli/fixture.h"
#include "cli/flows.h"
#include "cli/host.h"
#include "cli/live.h"
#include "cli/paging.h"
#include "cli/project.h"
#include "cli/recording.h"

#define MAX_SCRIPT ((size_t)16 << 20)
#define MAX_FIXTURE ((size_t)48 << 20)
#define MAX_JSON ((size_t)16 << 20)
#define FIXTURE_WALL_MS 20000
#define LIVE_WALL_MS 900000 /* as the server's actions */

/* A value of the command line that is JSON, or `@FILE` with it. */
struct given {
    const char *text; /* NULL = not given */
    struct buf file;
    struct json_raw value;
};

struct dryrun {
    /* as they were given */
    const char *words[2]; /* the script, the connection */
    const char *script, *fixture_path, *kind, *integration, *name, *now, *catalog;
    const char *environment, *dir, *host, *last_sync_date, *variant, *save;
    struct given input, checkpoint, metadata;

    struct project project;
    cJSON *flow; /* of a project's script; NULL */
    const char *file;
    struct buf code, recording;
    struct fixture *fixture;
    struct remote remote;
    struct live *live;
    struct recording *saved;
    int64_t now_ms;
};

/* ---- what is run ---- */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static void append_models(const struct dryrun *run, struct buf *out)
{
    const cJSON *models = json_get(run->flow, "models");

    if (!str_eq(run->kind, "sync") || models == NULL)
        return;
    buf_puts(out, ",\"models\":");
    json_append(out, models);
}

static struct json_raw last_sync_date(const struct dryrun *run, struct buf *quoted)
{
    struct json_raw date = {0};

    if (run->last_sync_date == NULL)
        return run->fixture != NULL ? fixture_last_sync_date(run->fixture) : date;
    json_raw_append_quoted(run->last_sync_date, strlen(run->last_sync_date), quoted);
    return (struct json_raw){.text = quoted->data, .len = quoted->len};
}

static bool append_props(const struct dryrun *run, struct buf *out, struct err *err)
{
    const char *provider =
        run->live != NULL ? live_provider(run->live) : run->integration;
    struct buf quoted;
    struct json_raw last;

    buf_init(&quoted, 0);
    last = last_sync_date(run, &quoted);
    buf_printf(out,
        ",\"props\":{\"environmentId\":1,\"syncJobId\":1,\"nangoConnectionId\":%lld,"
        "\"isCLI\":true",
        run->live != NULL ? (long long)live_connection(run->live) : 1);
    host_append_text(
        out, "connectionId", run->words[1] != NULL ? run->words[1] : "dryrun-connection");
    host_append_text(out, "providerConfigKey", run->integration);
    host_append_text(out, "provider", provider);
    host_append_text(out, "environmentName", run->environment);
    host_append_text(out, "activityLogId", "dryrun");
    host_append_text(out, "scriptType", run->kind);
    host_append_text(out, "name", run->name);
    host_append_text(out, "syncId", "dryrun");
    host_append_text(out, "variant", run->variant);
    if (json_raw_kind(last) == JSON_RAW_STRING || json_raw_kind(last) == JSON_RAW_NUMBER)
        buf_printf(out, ",\"lastSyncDate\":%.*s", (int)last.len, last.text);
    buf_finish(&quoted);
    append_models(run, out);
    buf_puts(out, ",\"paginate\":");
    if (!paging_append(provider, run->catalog, out, err))
        return false;
    buf_putc(out, '}');
    return true;
}

static bool append_run(void *arg, struct buf *out, struct err *err)
{
    const struct dryrun *run = arg;
    struct json_raw input = run->input.value;

    if (input.text == NULL && run->fixture != NULL)
        input = fixture_input(run->fixture);
    host_append_text(out, "kind", run->kind);
    host_append_text(out, "file", run->file);
    if (run->flow != NULL)
        host_append_text(out, "form", run->project.zero ? "zero" : "yaml");
    buf_puts(out, ",\"code\":");
    json_raw_append_quoted(
        run->code.data == NULL ? "" : run->code.data, run->code.len, out);
    if (!append_props(run, out, err))
        return false;
    buf_printf(out, ",\"fixture\":%s,\"now\":", run->live != NULL ? "false" : "true");
    if (run->now != NULL)
        buf_number(out, run->now_ms);
    else
        buf_puts(out, "null");
    if (input.text != NULL) {
        buf_puts(out, ",\"input\":");
        buf_append(out, input.text, input.len);
    }
    return true;
}

static void answer(void *arg, struct json_raw call, struct buf *out)
{
    const struct dryrun *run = arg;

    if (run->live != NULL)
        live_answer(run->live, call, out);
    else
        fixture_answer(run->fixture, call, out);
}

static void note(void *arg, struct json_raw log)
{
    const struct dryrun *run = arg;

    if (run->live != NULL)
        live_log(run->live, log);
    else
        fixture_log(run->fixture, log);
}

/* ---- reading what was given ---- */

static bool read_given(const char *name, struct given *given, struct err *err)
{
    const char *text = given->text;
    size_t len;

    if (text == NULL)
        return true;
    len = strlen(text);
    if (text[0] == '@') {
        if (!cmd_read_file(text + 1, MAX_JSON, &given->file, err))
            return false;
        text = given->file.data != NULL ? given->file.data : "";
        len = given->file.len;
    }
    return json_raw_parse(text, len, &given->value, err) ||
           err_context(err, "%s is JSON, or @FILE with JSON", name);
}

/* The value's text, for who wants it as one. */
static const char *text_of(struct given *given, struct buf *out)
{
    if (given->value.text == NULL)
        return NULL;
    buf_append(out, given->value.text, given->value.len);
    return out->data;
}

static bool check_date(const char *name, const char *text, int64_t *ms, struct err *err)
{
    return text == NULL || clock_parse(text, ms) ||
           err_set(err, 400, "usage",
               "%s is an ISO time such as 2026-06-16T14:00:00Z, not `%.60s`", name, text);
}

static bool check(struct dryrun *run, struct err *err)
{
    static const char *const kinds[] = {"sync", "action", "on-event", "webhook"};
    bool known = run->kind == NULL;
    int64_t ignored;

    if ((run->script != NULL) == (run->words[0] != NULL))
        return err_set(
            err, 400, "usage", "a SCRIPT of a project, or --script with a compiled file");
    if (run->script != NULL && (run->fixture_path == NULL || run->kind == NULL ||
                                   run->integration == NULL || run->name == NULL))
        return err_set(err, 400, "usage",
            "--script needs --fixture, --kind, --integration and --name");
    if ((run->fixture_path != NULL) == (run->words[1] != NULL))
        return err_set(
            err, 400, "usage", "a CONNECTION_ID, or --fixture with a recording");
    if (run->fixture_path != NULL &&
        (run->save != NULL || run->checkpoint.text != NULL || run->metadata.text != NULL))
        return err_set(err, 400, "usage",
            "a recording has its own checkpoint and metadata, and is not saved again");
    for (size_t i = 0; !known && i < sizeof kinds / sizeof kinds[0]; i++)
        known = strcmp(kinds[i], run->kind) == 0;
    if (!known)
        return err_set(err, 400, "usage",
            "--kind is sync, action, on-event or webhook, not `%.60s`", run->kind);
    return check_date("--now", run->now, &run->now_ms, err) &&
           check_date("--last-sync-date", run->last_sync_date, &ignored, err) &&
           read_given("--input", &run->input, err) &&
           read_given("--checkpoint", &run->checkpoint, err) &&
           read_given("--metadata", &run->metadata, err);
}

static bool read_fixture(struct dryrun *run, struct err *err)
{
    if (run->fixture_path == NULL)
        return true;
    if (!cmd_read_file(run->fixture_path, MAX_FIXTURE, &run->recording, err))
        return false;
    run->fixture = fixture_new(
        run->recording.data == NULL ? "" : run->recording.data, run->recording.len, err);
    return run->fixture != NULL || err_context(err, "%s", run->fixture_path);
}

/* ---- a project's script ---- */

static bool read_project(struct dryrun *run, struct host *host, struct err *err)
{
    const struct project_script *script;
    char *built;
    bool ok;

    if (!project_open(&run->project, run->dir, err))
        return false;
    script = project_find(&run->project, run->words[0], run->integration, run->kind, err);
    if (script == NULL || !bundle_project(&run->project, script, err))
        return false;
    run->kind = script->kind;
    run->integration = script->integration;
    run->name = script->name;
    run->file = script->built;
    run->flow = flow_of(host, &run->project, script, err);
    if (run->flow == NULL)
        return false;
    built = project_path(&run->project, script->built);
    ok = cmd_read_file(built, MAX_SCRIPT, &run->code, err);
    free(built);
    return ok;
}

static bool read_script(struct dryrun *run, struct host *host, struct err *err)
{
    if (run->script == NULL)
        return read_project(run, host, err);
    run->file = file_name(run->script);
    return cmd_read_file(run->script, MAX_SCRIPT, &run->code, err) ||
           err_set(err, 400, "usage", "%s", err->message);
}

static bool open_live(struct dryrun *run, struct err *err)
{
    struct live_options options = {.remote = &run->remote,
        .integration = run->integration,
        .connection_id = run->words[1]};
    struct buf checkpoint, metadata;

    if (run->words[1] == NULL)
        return true;
    if (run->save != NULL)
        run->saved = recording_new();
    buf_init(&checkpoint, 0);
    buf_init(&metadata, 0);
    options.recording = run->saved;
    options.checkpoint = text_of(&run->checkpoint, &checkpoint);
    options.metadata = text_of(&run->metadata, &metadata);
    run->live = live_open(&options, err);
    buf_finish(&checkpoint);
    buf_finish(&metadata);
    return run->live != NULL;
}

/* ---- the end ---- */

/* `result`: what is printed. */
static bool save(const struct dryrun *run, const struct buf *result, struct err *err)
{
    struct buf quoted, text;
    struct json_raw whole;
    bool ok;

    if (run->saved == NULL)
        return true;
    if (!json_raw_parse(result->data, result->len, &whole, err))
        return false;
    buf_init(&quoted, 0);
    buf_init(&text, 0);
    recording_set(run->saved, "input", run->input.value);
    recording_set(run->saved, "output", json_raw_get(whole, "output"));
    recording_set(run->saved, "lastSyncDate", last_sync_date(run, &quoted));
    recording_set_nango(run->saved, "getCheckpoint", run->checkpoint.value);
    recording_set_nango(run->saved, "batchSave", json_raw_get(whole, "batchSave"));
    recording_set_nango(run->saved, "batchDelete", json_raw_get(whole, "batchDelete"));
    recording_write(run->saved, &text);
    ok = cmd_write_file(NULL, run->save, text.data, text.len, err);
    buf_finish(&text);
    buf_finish(&quoted);
    return ok;
}

static int print(const struct dryrun *run, const struct buf *result)
{
    bool went_well = str_starts(result->data, "{\"status\":\"ok\"");

    if (fwrite(result->data, 1, result->len, stdout) != result->len ||
        fflush(stdout) != 0)
        return 1;
    return run->live == NULL || went_well ? 0 : 1;
}

static int run_it(struct dryrun *run, struct host *host, struct err *err)
{
    const struct host_run how = {
        .arg = run,
        .append = append_run,
        .answer = answer,
        .log = note,
        .wall_ms = run->live != NULL ? LIVE_WALL_MS : FIXTURE_WALL_MS,
    };
    struct buf result;
    int code = 1;

    buf_init(&result, 0);
    if (host_run(host, &how, &result, err)) {
        if (run->live != NULL)
            live_append_result(run->live, &result);
        else
            fixture_append_result(run->fixture, &result);
        buf_puts(&result, "}\n");
        code = print(run, &result);
        if (!save(run, &result, err))
            code = 1;
    }
    buf_finish(&result);
    return err->message[0] != '\0' ? cmd_fail("dryrun", err, 1) : code;
}

static void finish(struct dryrun *run)
{
    live_close(run->live);
    remote_finish(&run->remote);
    recording_free(run->saved);
    fixture_free(run->fixture);
    cJSON_Delete(run->flow);
    project_finish(&run->project);
    buf_finish(&run->input.file);
    buf_finish(&run->checkpoint.file);
    buf_finish(&run->metadata.file);
    buf_finish(&run->code);
    buf_finish(&run->recording);
}

int cmd_dryrun(int argc, char **argv)
{
    struct dryrun run = {.catalog = getenv("NANGO_CATALOG"),
        .environment = "dev",
        .dir = ".",
        .variant = "base"};
    const struct cmd_option options[] = {
        {.name = "--script", .value = &run.script},
        {.name = "--fixture", .value = &run.fixture_path},
        {.name = "--kind", .value = &run.kind},
        {.name = "--integration", .value = &run.integration},
        {.name = "--name", .value = &run.name},
        {.name = "--now", .value = &run.now},
        {.name = "--catalog", .value = &run.catalog},
        {.name = "--env", .value = &run.environment},
        {.name = "-e", .value = &run.environment},
        {.name = "--dir", .value = &run.dir},
        {.name = "--host", .value = &run.host},
        {.name = "--input", .value = &run.input.text},
        {.name = "--checkpoint", .value = &run.checkpoint.text},
        {.name = "--metadata", .value = &run.metadata.text},
        {.name = "--last-sync-date", .value = &run.last_sync_date},
        {.name = "--variant", .value = &run.variant},
        {.name = "--save", .value = &run.save},
        {.name = NULL},
    };
    struct host host = {0};
    struct err err = {0};
    int code = EXIT_USAGE;

    if (cmd_read_line("dryrun", options, run.words, 2, argc, argv)) {
        if (!check(&run, &err) || !read_fixture(&run, &err) ||
            (run.words[1] != NULL &&
                (!remote_read_env_file(run.dir, &err) ||
                    !remote_init(&run.remote, run.host, run.environment, &err))))
            cmd_fail("dryrun", &err, EXIT_USAGE);
        else if (!read_script(&run, &host, &err) || !open_live(&run, &err))
            code = cmd_fail("dryrun", &err, str_eq(err.code, "usage") ? EXIT_USAGE : 1);
        else
            code = run_it(&run, &host, &err);
    }
    host_finish(&host);
    finish(&run);
    return code;
}
