/* SPDX-License-Identifier: Apache-2.0 */
/* nangoctl dryrun: runs one script in nango-runner against a recording, and prints one
 * JSON object with what it returned and saved. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_raw.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/fixture.h"
#include "cli/paging.h"
#include "runner/launch.h"

#define MAX_SCRIPT ((size_t)16 << 20)
#define MAX_FIXTURE ((size_t)48 << 20)
#define WALL_MS 20000
#define CPU_MS 18000
#define MEMORY_MB 512
#define OUTPUT_BYTES (32 << 20)
/* What the runner may take beyond its own limit before it is killed. */
#define GRACE_MS 1000

struct dryrun {
    const char *script, *fixture_path, *kind, *integration, *name, *now, *catalog;
    struct buf code, recording;
    struct fixture *fixture;
    int64_t now_ms;
};

static void append_string(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "\"%s\":", key);
    json_raw_append_quoted(value, strlen(value), out);
    buf_putc(out, ',');
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool append_run(const struct dryrun *run, struct buf *out, struct err *err)
{
    struct json_raw input = fixture_input(run->fixture),
                    last = fixture_last_sync_date(run->fixture);
    size_t begun = protocol_begin(out);

    buf_puts(out, "{\"t\":\"run\",\"id\":1,");
    append_string(out, "kind", run->kind);
    append_string(out, "file", file_name(run->script));
    buf_puts(out, "\"code\":");
    json_raw_append_quoted(
        run->code.data == NULL ? "" : run->code.data, run->code.len, out);
    buf_puts(out, ",\"props\":{");
    append_string(out, "connectionId", "dryrun-connection");
    append_string(out, "providerConfigKey", run->integration);
    append_string(out, "provider", run->integration);
    append_string(out, "environmentName", "dev");
    append_string(out, "activityLogId", "dryrun");
    append_string(out, "scriptType", run->kind);
    append_string(out, "name", run->name);
    append_string(out, "syncId", "dryrun");
    buf_puts(out, "\"environmentId\":1,\"syncJobId\":1,\"nangoConnectionId\":1,");
    if (json_raw_kind(last) == JSON_RAW_STRING || json_raw_kind(last) == JSON_RAW_NUMBER)
        buf_printf(out, "\"lastSyncDate\":%.*s,", (int)last.len, last.text);
    buf_puts(out, "\"variant\":\"base\",\"isCLI\":true,\"paginate\":");
    if (!paging_append(run->integration, run->catalog, out, err))
        return false;
    buf_puts(out, "},\"fixture\":true,\"now\":");
    if (run->now != NULL)
        buf_number(out, run->now_ms);
    else
        buf_puts(out, "null");
    buf_printf(out,
        ",\"limits\":{\"wall_ms\":%d,\"cpu_ms\":%d,\"memory_mb\":%d,\"output_bytes\":%d,"
        "\"logs\":10000,\"log_bytes\":1000000}",
        WALL_MS, CPU_MS, MEMORY_MB, OUTPUT_BYTES);
    if (input.text != NULL) {
        buf_puts(out, ",\"input\":");
        buf_append(out, input.text, input.len);
    }
    buf_putc(out, '}');
    protocol_end(out, begun);
    return true;
}

static void append_failure(struct buf *out, const char *type, const char *message)
{
    buf_puts(out, "{\"status\":\"error\",\"error\":{");
    append_string(out, "type", type);
    append_string(out, "message", message);
    buf_puts(out, "\"stack\":\"\"}");
}

/* `done` as the first members of the result. */
static void append_done(struct buf *out, struct json_raw done)
{
    struct json_raw output = json_raw_get(done, "output"),
                    error = json_raw_get(done, "error");

    if (json_raw_is_string(json_raw_get(done, "status"), "ok")) {
        buf_puts(out, "{\"status\":\"ok\"");
        if (output.text != NULL) {
            buf_puts(out, ",\"output\":");
            buf_append(out, output.text, output.len);
        }
        return;
    }
    buf_puts(out, "{\"status\":\"error\",\"error\":");
    if (error.text != NULL)
        buf_append(out, error.text, error.len);
    else
        buf_puts(out, "{\"type\":\"script_internal_error\",\"message\":\"\"}");
}

/* Serves the script's calls until it is done; leaves the result's beginning in `result`. */
static bool converse(
    const struct dryrun *run, struct runner *runner, struct buf *result, struct err *err)
{
    int64_t deadline = clock_mono_ms() + WALL_MS + GRACE_MS;
    struct buf out;
    bool sent = false, done = false, ok = false;

    buf_init(&out, 0);
    while (!done) {
        struct message message;
        char text[160];
        const char *type;

        switch (runner_next(runner, deadline, &message, err)) {
        case RUNNER_TIMEOUT:
            runner_reap(runner, true);
            append_failure(
                result, "execution_timeout", "The script ran longer than it may");
            done = true;
            continue;
        case RUNNER_GONE:
            type = runner_death(runner_reap(runner, false), text, sizeof text);
            if (!sent) {
                err_internal(err, "nango-runner did not start: %s", text);
                goto done;
            }
            append_failure(result, type, text);
            done = true;
            continue;
        case RUNNER_FAULTY:
            goto done;
        case RUNNER_MESSAGE:
            break;
        }
        buf_clear(&out);
        switch (message.kind) {
        case MESSAGE_READY:
            if (sent)
                break;
            if (!append_run(run, &out, err))
                goto done;
            sent = true;
            break;
        case MESSAGE_CALL:
            fixture_answer(run->fixture, message.body, &out);
            break;
        case MESSAGE_LOG:
            fixture_log(run->fixture, message.body);
            break;
        case MESSAGE_DONE:
            append_done(result, message.body);
            done = true;
            break;
        default:
            err_internal(err, "nango-runner sent what only its host may send");
            goto done;
        }
        /* A runner that is gone is noticed by the next read. */
        if (out.len > 0)
            runner_send(runner, &out);
    }
    ok = true;

done:
    buf_finish(&out);
    return ok;
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
    struct runner runner = {0};
    struct err err = {0};
    struct buf result;
    char *program = NULL;
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
    program = cmd_find_runner(&err);
    if (program == NULL || !runner_start(&runner, program, &err) ||
        !converse(&run, &runner, &result, &err)) {
        cmd_fail("dryrun", &err, 1);
        goto done;
    }
    fixture_append_result(run.fixture, &result);
    buf_puts(&result, "}\n");
    code = fwrite(result.data, 1, result.len, stdout) == result.len && fflush(stdout) == 0
               ? 0
               : 1;

done:
    runner_reap(&runner, true);
    fixture_free(run.fixture);
    buf_finish(&run.code);
    buf_finish(&run.recording);
    buf_finish(&result);
    free(program);
    return code;
}
