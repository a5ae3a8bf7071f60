/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "runner/protocol.h"

#define MEMORY_MB 512
#define OUTPUT_BYTES (32 << 20)
/* What the runner may take beyond its own limit before it is killed. */
#define GRACE_MS 1000

void host_append_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, ",\"%s\":", name);
    json_raw_append_quoted(value, strlen(value), out);
}

void host_append_result(struct buf *out, struct json_raw call, const struct buf *value,
    const struct buf *error)
{
    struct json_raw id = json_raw_get(call, "id");
    size_t begun = protocol_begin(out);

    buf_puts(out, "{\"t\":\"result\",\"id\":");
    if (json_raw_kind(id) == JSON_RAW_NUMBER)
        buf_append(out, id.text, id.len);
    else
        buf_putc(out, '0');
    if (error->len > 0) {
        buf_puts(out, ",\"ok\":false,\"error\":");
        buf_append(out, error->data, error->len);
    } else {
        buf_puts(out, ",\"ok\":true");
        if (value->len > 0) {
            buf_puts(out, ",\"value\":");
            buf_append(out, value->data, value->len);
        }
    }
    buf_putc(out, '}');
    protocol_end(out, begun);
}

static bool append_run(const struct host_run *run, struct buf *out, struct err *err)
{
    size_t begun = protocol_begin(out);

    buf_puts(out, "{\"t\":\"run\",\"id\":1");
    if (!run->append(run->arg, out, err))
        return false;
    buf_printf(out,
        ",\"limits\":{\"wall_ms\":%lld,\"cpu_ms\":%lld,\"memory_mb\":%d,\"output_bytes\":"
        "%d,\"logs\":10000,\"log_bytes\":1000000}}",
        (long long)run->wall_ms, (long long)run->wall_ms * 9 / 10, MEMORY_MB,
        OUTPUT_BYTES);
    protocol_end(out, begun);
    return true;
}

static void append_failure(struct buf *out, const char *type, const char *message)
{
    buf_puts(out, "{\"status\":\"error\",\"error\":{\"stack\":\"\"");
    host_append_text(out, "type", type);
    host_append_text(out, "message", message);
    buf_putc(out, '}');
}

/* `done` as the first members of the result. Returns whether the run went well. */
static bool append_done(struct buf *out, struct json_raw done)
{
    struct json_raw output = json_raw_get(done, "output"),
                    error = json_raw_get(done, "error");

    if (json_raw_is_string(json_raw_get(done, "status"), "ok")) {
        buf_puts(out, "{\"status\":\"ok\"");
        if (output.text != NULL) {
            buf_puts(out, ",\"output\":");
            buf_append(out, output.text, output.len);
        }
        return true;
    }
    buf_puts(out, "{\"status\":\"error\",\"error\":");
    if (error.text != NULL)
        buf_append(out, error.text, error.len);
    else
        buf_puts(out, "{\"type\":\"script_internal_error\",\"message\":\"\"}");
    return false;
}

static void append_refusal(struct buf *out, struct json_raw call)
{
    struct buf value, error;

    buf_init(&value, 0);
    buf_init(&error, 0);
    buf_puts(
        &error, "{\"name\":\"Error\",\"message\":\"Nothing can be asked for here\"}");
    host_append_result(out, call, &value, &error);
    buf_finish(&error);
    buf_finish(&value);
}

static void drop_runner(struct host *host, bool kill_it, int *status)
{
    *status = runner_reap(&host->runner, kill_it);
    host->running = false;
}

/* Its end before that of its script. */
static bool on_death(struct host *host, bool sent, struct buf *result, struct err *err)
{
    char text[160];
    const char *type;
    int status;

    drop_runner(host, false, &status);
    type = runner_death(status, text, sizeof text);
    if (!sent)
        return err_internal(err, "nango-runner did not start: %s", text);
    append_failure(result, type, text);
    return true;
}

/* A message but the last. `out` gets what is to be sent. */
static bool on_message(const struct host_run *run, const struct message *message,
    bool *sent, struct buf *out, struct err *err)
{
    switch (message->kind) {
    case MESSAGE_READY:
        if (*sent)
            return true;
        *sent = true;
        return append_run(run, out, err);
    case MESSAGE_CALL:
        if (run->answer != NULL)
            run->answer(run->arg, message->body, out);
        else
            append_refusal(out, message->body);
        return true;
    case MESSAGE_LOG:
        if (run->log != NULL)
            run->log(run->arg, message->body);
        return true;
    default:
        return err_internal(err, "nango-runner sent what only its host may send");
    }
}

/* Serves the script's calls until it is done. */
static bool converse(
    struct host *host, const struct host_run *run, struct buf *result, struct err *err)
{
    int64_t deadline = clock_mono_ms() + run->wall_ms + GRACE_MS;
    bool sent = false, ok = true;
    struct buf out;
    int status;

    buf_init(&out, 0);
    while (ok) {
        struct message message;
        enum runner_event event = runner_next(&host->runner, deadline, &message, err);

        if (event == RUNNER_TIMEOUT) {
            drop_runner(host, true, &status);
            append_failure(
                result, "execution_timeout", "The script ran longer than it may");
            break;
        }
        if (event == RUNNER_GONE) {
            ok = on_death(host, sent, result, err);
            break;
        }
        if (event == RUNNER_FAULTY) {
            ok = false;
            break;
        }
        if (message.kind == MESSAGE_DONE) {
            /* What failed may have left the process in any state. */
            if (!append_done(result, message.body))
                drop_runner(host, true, &status);
            break;
        }
        buf_clear(&out);
        ok = on_message(run, &message, &sent, &out, err);
        /* A runner that is gone is noticed by the next read. */
        if (ok && out.len > 0)
            runner_send(&host->runner, &out);
    }
    buf_finish(&out);
    return ok;
}

bool host_run(
    struct host *host, const struct host_run *run, struct buf *result, struct err *err)
{
    if (host->program == NULL)
        host->program = cmd_find_runner(err);
    if (host->program == NULL)
        return false;
    if (!host->running)
        host->running = runner_start(&host->runner, host->program, err);
    return host->running && converse(host, run, result, err);
}

void host_finish(struct host *host)
{
    runner_reap(&host->runner, true);
    free(host->program);
    *host = (struct host){0};
}
