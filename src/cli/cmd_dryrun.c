/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl dryrun: runs one script in nango-runner against a recording, and prints one
 * JSON object with what it returned and saved. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_raw.h"
#include "cli/cmd.h"
#include "cli/fixture.h"
#include "cli/host.h"
#include "cli/paging.h"

#define MAX_SCRIPT ((size_t)16 << 20)
#define MAX_FIXTURE ((size_t)48 << 20)
#define WALL_MS 20000

struct dryrun {
    const char *script, *fixture_path, *kind, *integration, *name, *now, *catalog;
    struct buf code, recording;
    struct fixture *fixture;
    int64_t now_ms;
};

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool append_run(void *arg, struct buf *out, struct err *err)
{
    const struct dryrun *run = arg;
    struct json_raw input = fixture_input(run->fixture),
                    last = fixture_last_sync_date(run->fixture);

    host_append_text(out, "kind", run->kind);
    host_append_text(out, "file", file_name(run->script));
    buf_puts(out, ",\"code\":");
    json_raw_append_quoted(
        run->code.data == NULL ? "" : run->code.data, run->code.len, out);
    buf_puts(out, ",\"props\":{\"environmentId\":1,\"syncJobId\":1,"
                  "\"nangoConnectionId\":1,\"variant\":\"base\",\"isCLI\":true");
    host_append_text(out, "connectionId", "dryrun-connection");
    host_append_text(out, "providerConfigKey", run->integration);
    host_append_text(out, "provider", run->integration);
    host_append_text(out, "environmentName", "dev");
    host_append_text(out, "activityLogId", "dryrun");
    host_append_text(out, "scriptType", run->kind);
    host_append_text(out, "name", run->name);
    host_append_text(out, "syncId", "dryrun");
    if (json_raw_kind(last) == JSON_RAW_STRING || json_raw_kind(last) == JSON_RAW_NUMBER)
        buf_printf(out, ",\"lastSyncDate\":%.*s", (int)last.len, last.text);
    buf_puts(out, ",\"paginate\":");
    if (!paging_append(run->integration, run->catalog, out, err))
        return false;
    buf_puts(out, "},\"fixture\":true,\"now\":");
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

    fixture_answer(run->fixture, call, out);
}

static void note(void *arg, struct json_raw log)
{
    const struct dryrun *run = arg;

    fixture_log(run->fixture, log);
}

static bool check(struct dryrun *run, struct err *err)
{
    static const char *const kinds[] = {"sync", "action", "on-event", "webhook"};
    bool known = false;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        known = known || strcmp(kinds[i], run->kind) == 0;
    if (!known)
        return err_set(err, 400, "invalid_kind",
            "--kind is sync, action, on-event or webhook, not `%s`", run->kind);
    if (run->now != NULL && !clock_parse(run->now, &run->now_ms))
        return err_set(err, 400, "invalid_now",
            "--now is an ISO time such as 2026-06-16T14:00:00Z, not `%s`", run->now);
    return true;
}

int cmd_dryrun(int argc, char **argv)
{
    struct dryrun run = {.catalog = getenv("NANGO_CATALOG")};
    const struct cmd_option options[] = {
        {.name = "--script", .value = &run.script, .required = true},
        {.name = "--fixture", .value = &run.fixture_path, .required = true},
        {.name = "--kind", .value = &run.kind, .required = true},
        {.name = "--integration", .value = &run.integration, .required = true},
        {.name = "--name", .value = &run.name, .required = true},
        {.name = "--now", .value = &run.now},
        {.name = "--catalog", .value = &run.catalog},
        {.name = NULL},
    };
    const struct host_run how = {.arg = &run,
        .append = append_run,
        .answer = answer,
        .log = note,
        .wall_ms = WALL_MS};
    struct host host = {0};
    struct err err = {0};
    struct buf result;
    int code = EXIT_USAGE;

    buf_init(&result, 0);
    if (!cmd_read_options("dryrun", options, argc, argv))
        goto done;
    if (!check(&run, &err) || !cmd_read_file(run.script, MAX_SCRIPT, &run.code, &err) ||
        !cmd_read_file(run.fixture_path, MAX_FIXTURE, &run.recording, &err)) {
        cmd_fail("dryrun", &err, EXIT_USAGE);
        goto done;
    }
    run.fixture = fixture_new(
        run.recording.data == NULL ? "" : run.recording.data, run.recording.len, &err);
    if (run.fixture == NULL) {
        err_context(&err, "%s", run.fixture_path);
        cmd_fail("dryrun", &err, EXIT_USAGE);
        goto done;
    }
    code = 1;
    if (!host_run(&host, &how, &result, &err)) {
        cmd_fail("dryrun", &err, 1);
        goto done;
    }
    fixture_append_result(run.fixture, &result);
    buf_puts(&result, "}\n");
    code = fwrite(result.data, 1, result.len, stdout) == result.len && fflush(stdout) == 0
               ? 0
               : 1;

done:
    host_finish(&host);
    fixture_free(run.fixture);
    buf_finish(&run.code);
    buf_finish(&run.recording);
    buf_finish(&result);
    return code;
}
