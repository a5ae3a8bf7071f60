/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/run.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "runner/protocol.h"

/* Calls of one run that wait for their answer at a time. A script that makes more is made
 * to wait itself: its socket is not read meanwhile. */
#define MAX_CALLS 64

/* What a runner may say at once: an output or a page of records, with room. */
#define MAX_FRAME ((size_t)32 << 20)

/* How long a runner whose socket closed may take to end by itself: a core of no use is
 * written, pages are unmapped. */
#define END_MS 2000

/* How often a run looks whether it was cancelled. */
#define TURN_MS 500

/* One run, shared with the threads that answer its calls. */
struct session {
    const struct script_run *run;
    int fd;
    pthread_mutex_t write_lock; /* one frame at a time; a write may have to wait */
    atomic_bool over;           /* nobody reads answers any more */
    pthread_mutex_t lock;       /* of what follows; never held while writing */
    pthread_cond_t answered;
    size_t calls;          /* that still use the session */
    size_t unanswered;     /* of them: the script cannot know their answers */
    int64_t turn_until_us; /* of the thread that runs it: 0 = it has no turn */
};

struct call {
    struct session *session;
    int64_t id;
    char *method;
    char *args; /* JSON text */
    size_t args_len;
};

/* ---- outcomes ---- */

static void fail(struct script_outcome *out, const char *type, const char *message)
{
    if (out->type != NULL)
        return;
    out->ok = false;
    out->type = str_dup(type);
    out->message = str_dup(message);
}

void script_outcome_finish(struct script_outcome *out)
{
    free(out->output);
    free(out->type);
    free(out->message);
    free(out->payload);
    free(out->stack);
    free(out->upstream);
    free(out->file);
    memset(out, 0, sizeof *out);
}

static char *dup_raw(struct json_raw value)
{
    return value.text != NULL ? str_ndup(value.text, value.len) : NULL;
}

/* ---- calls ---- */

static void send_result(struct call *call, bool ok, const struct buf *value)
{
    struct session *session = call->session;
    struct buf frame;
    size_t begun;

    buf_init_secret(&frame, 0);
    begun = protocol_begin(&frame);
    buf_printf(&frame, "{\"t\":\"result\",\"id\":%lld,\"ok\":%s", (long long)call->id,
        ok ? "true" : "false");
    if (value->len > 0) {
        buf_puts(&frame, ok ? ",\"value\":" : ",\"error\":");
        buf_append(&frame, value->data, value->len);
    }
    buf_putc(&frame, '}');
    protocol_end(&frame, begun);
    /* From here on the script may go on, and end before this thread does. */
    pthread_mutex_lock(&session->lock);
    session->unanswered--;
    pthread_mutex_unlock(&session->lock);
    pthread_mutex_lock(&session->write_lock);
    /* A runner that does not read is ended by its time, and the socket with it. */
    if (!atomic_load(&session->over))
        (void)protocol_write(session->fd, frame.data, frame.len);
    pthread_mutex_unlock(&session->write_lock);
    pthread_mutex_lock(&session->lock);
    session->calls--;
    pthread_cond_signal(&session->answered);
    pthread_mutex_unlock(&session->lock);
    buf_finish(&frame);
}

static void answer_call(void *arg)
{
    struct call *call = arg;
    const struct script_run *run = call->session->run;
    struct json_raw args = {.text = call->args, .len = call->args_len};
    struct buf value;
    bool ok;

    buf_init_secret(&value, 0);
    ok = run->ops->call(run->arg, call->method, args, &value);
    send_result(call, ok, &value);
    buf_finish(&value);
    mem_wipe(call->args, call->args_len);
    free(call->args);
    free(call->method);
    free(call);
}

/* False: the message is not one that a runner may send. */
static bool on_call(struct session *session, struct pool *calls, struct json_raw body)
{
    double id;
    struct call *call;
    char *method = json_raw_dup_string(json_raw_get(body, "method"));
    struct json_raw args = json_raw_get(body, "args");

    if (method == NULL || json_raw_kind(args) != JSON_RAW_ARRAY ||
        !json_raw_number(json_raw_get(body, "id"), &id) || !(id >= 0 && id < 9e15)) {
        free(method);
        return false;
    }
    call = MEM_NEW(struct call);
    call->session = session;
    call->id = (int64_t)id;
    call->method = method;
    call->args = dup_raw(args);
    call->args_len = args.len;
    pthread_mutex_lock(&session->lock);
    session->calls++;
    session->unanswered++;
    pthread_mutex_unlock(&session->lock);
    if (!pool_submit(calls, answer_call, call)) { /* the server is stopping */
        struct buf none;

        buf_init(&none, 0);
        buf_puts(&none, "{\"message\":\"The server is stopping\"}");
        send_result(call, false, &none);
        buf_finish(&none);
        free(call->args);
        free(call->method);
        free(call);
    }
    return true;
}

/* ---- the turn ---- */

static void end_turn(struct session *session)
{
    if (session->turn_until_us == 0)
        return;
    session->turn_until_us = 0;
    turns_give(session->run->turns);
}

/* ---- the conversation ---- */

static void put_limit(struct buf *out, const char *name, int64_t value)
{
    if (value <= 0)
        return;
    json_append_name(out, name);
    buf_number(out, value);
}

/* `code`: NULL = the runner has it. */
static bool send_run(struct session *session, const char *code, size_t code_len)
{
    const struct script_run *run = session->run;
    struct buf frame;
    size_t begun;
    bool sent;

    buf_init_secret(&frame, 0);
    begun = protocol_begin(&frame);
    buf_printf(&frame, "{\"t\":\"run\",\"id\":1,\"kind\":\"%s\"", run->kind);
    if (run->form != NULL)
        buf_printf(&frame, ",\"form\":\"%s\"", run->form);
    if (code != NULL) {
        buf_puts(&frame, ",\"code\":");
        json_raw_append_quoted(code, code_len, &frame);
    }
    buf_puts(&frame, ",\"file\":");
    json_raw_append_quoted(run->file, strlen(run->file), &frame);
    buf_puts(&frame, ",\"props\":");
    buf_puts(&frame, run->props);
    if (run->input != NULL) {
        buf_puts(&frame, ",\"input\":");
        buf_puts(&frame, run->input);
    }
    if (run->load)
        buf_printf(
            &frame, ",\"load\":true,\"webhooks\":%s", run->webhooks ? "true" : "false");
    if (run->describe_name != NULL) {
        buf_puts(&frame, ",\"describe\":{\"integration\":");
        json_raw_append_quoted(
            run->describe_integration, strlen(run->describe_integration), &frame);
        buf_puts(&frame, ",\"name\":");
        json_raw_append_quoted(run->describe_name, strlen(run->describe_name), &frame);
        buf_putc(&frame, '}');
    }
    buf_puts(&frame, ",\"now\":null,\"fixture\":false,\"limits\":{");
    put_limit(&frame, "wall_ms", run->wall_ms);
    put_limit(&frame, "cpu_ms", run->cpu_ms);
    put_limit(&frame, "memory_mb", run->memory_mb);
    put_limit(&frame, "output_bytes", run->output_bytes);
    put_limit(&frame, "log_bytes", run->log_bytes);
    buf_puts(&frame, "}}");
    protocol_end(&frame, begun);
    sent = protocol_write(session->fd, frame.data, frame.len);
    buf_finish(&frame);
    return sent;
}

/* Sends the run, with the code where that is not there yet. False: the runner is gone, or
 * out says what failed. */
static bool begin_run(
    struct session *session, const struct runner *runner, struct script_outcome *out)
{
    const struct script_run *run = session->run;
    struct blob loaded = {0};
    struct err err = {0};
    bool sent;

    if (runner_has_code(runner))
        return send_run(session, NULL, 0);
    if (run->code != NULL)
        return send_run(session, run->code, run->code_len);
    if (!run->ops->load_code(run->arg, &loaded, &err)) {
        fail(out, "integration_file_not_found", err.message);
        return false;
    }
    sent = send_run(session, (const char *)loaded.data, loaded.len);
    free(loaded.data);
    return sent;
}

static void on_log(const struct script_run *run, struct json_raw body)
{
    char *level = json_raw_dup_string(json_raw_get(body, "level"));
    char *message = json_raw_dup_string(json_raw_get(body, "message"));

    if (level != NULL && message != NULL)
        run->ops->log(run->arg, level, message, json_raw_get(body, "meta"));
    free(level);
    free(message);
}

/* Of what a runner says, which may be anything. */
static int place_number(struct json_raw at, const char *name)
{
    double number;

    return json_raw_number(json_raw_get(at, name), &number) && number >= 1 && number < 1e9
               ? (int)number
               : 0;
}

static void on_done(struct json_raw body, struct script_outcome *out)
{
    struct json_raw error = json_raw_get(body, "error"), at = json_raw_get(error, "at");

    if (json_raw_is_string(json_raw_get(body, "status"), "ok")) {
        out->ok = true;
        out->output = dup_raw(json_raw_get(body, "output"));
        return;
    }
    out->type = json_raw_dup_string(json_raw_get(error, "type"));
    out->message = json_raw_dup_string(json_raw_get(error, "message"));
    out->stack = json_raw_dup_string(json_raw_get(error, "stack"));
    out->payload = dup_raw(json_raw_get(error, "payload"));
    out->upstream = dup_raw(json_raw_get(error, "upstream"));
    out->file = json_raw_dup_string(json_raw_get(at, "file"));
    out->line = place_number(at, "line");
    out->column = place_number(at, "column");
    if (out->type == NULL)
        fail(out, "script_internal_error", "The script failed without saying how");
    if (out->message == NULL)
        out->message = str_dup("");
}

enum step {
    STEP_ON,
    STEP_DONE,
    STEP_BROKEN,
};

static enum step on_message(struct session *session, struct pool *calls, const char *text,
    size_t len, struct script_outcome *out)
{
    struct message message;
    struct err err = {0};

    if (!protocol_parse(text, len, &message, &err))
        return STEP_BROKEN;
    switch (message.kind) {
    case MESSAGE_CALL:
        end_turn(session); /* it waits now, as a rule */
        return on_call(session, calls, message.body) ? STEP_ON : STEP_BROKEN;
    case MESSAGE_LOG:
        on_log(session->run, message.body);
        return STEP_ON;
    case MESSAGE_READY: /* for this run, after the one before */
        return STEP_ON;
    case MESSAGE_DONE:
        on_done(message.body, out);
        return STEP_DONE;
    default:
        return STEP_BROKEN;
    }
}

/* The frames that have come whole. */
static enum step take_frames(struct session *session, struct pool *calls, struct buf *in,
    struct script_outcome *out)
{
    const char *text;
    size_t len;
    int whole;

    while ((whole = protocol_frame(in, MAX_FRAME, &text, &len)) == 1) {
        enum step step = on_message(session, calls, text, len, out);

        buf_drop_front(in, protocol_frame_size(len));
        if (step != STEP_ON)
            return step;
    }
    return whole == 0 ? STEP_ON : STEP_BROKEN;
}

static bool is_cancelled(const struct script_run *run)
{
    return run->cancelled != NULL && atomic_load(run->cancelled);
}

/* Waits until few enough calls are open that more may be read, or the time is over. */
static void wait_for_room(struct session *session, size_t most, int64_t until_us)
{
    pthread_mutex_lock(&session->lock);
    while (session->calls > most) {
        int64_t turn_us = clock_mono_us() + TURN_MS * 1000;

        if (clock_mono_us() >= until_us)
            break;
        (void)cond_wait_until(
            &session->answered, &session->lock, turn_us < until_us ? turn_us : until_us);
        if (is_cancelled(session->run))
            break;
    }
    pthread_mutex_unlock(&session->lock);
}

static enum step converse(struct session *session, struct pool *calls, int64_t until_us,
    struct script_outcome *out)
{
    struct buf in;
    enum step step = STEP_ON;

    buf_init_secret(&in, MAX_FRAME + PROTOCOL_HEADER + 65536);
    while (step == STEP_ON) {
        struct pollfd poll_fd = {.fd = session->fd, .events = POLLIN};
        int64_t now_us = clock_mono_us(), left_ms = (until_us - now_us) / 1000;
        int64_t wait_ms = left_ms < TURN_MS ? left_ms : TURN_MS;
        int ready;

        if (left_ms <= 0) {
            fail(out, "execution_timeout", "The script took longer than it may");
            break;
        }
        if (is_cancelled(session->run)) {
            fail(out, "script_aborted", "The execution was cancelled");
            break;
        }
        if (session->turn_until_us > 0) {
            if (now_us >= session->turn_until_us)
                end_turn(session);
            else if (wait_ms > TURN_MAX_MS)
                wait_ms = TURN_MAX_MS;
        }
        wait_for_room(session, MAX_CALLS - 1, until_us);
        ready = poll(&poll_fd, 1, (int)wait_ms);
        if (ready < 0 && errno != EINTR)
            step = STEP_BROKEN;
        if (ready <= 0)
            continue;
        step = protocol_read(session->fd, &in) ? take_frames(session, calls, &in, out)
                                               : STEP_BROKEN;
    }
    buf_finish(&in);
    return step;
}

/* Why a runner's socket broke off. */
static void explain_end(int status, struct script_outcome *out)
{
    int signal_number = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    switch (signal_number) {
    case SIGXCPU:
        fail(out, "function_runtime_timed_out",
            "The script used more CPU time than it may");
        break;
    case SIGABRT:
    case SIGILL:
    case SIGTRAP:
    case SIGKILL: /* not by us: we say so before; the system's, which had no more */
        fail(out, "function_runtime_out_of_memory",
            "The script needed more memory than it may");
        break;
    case SIGSYS:
        fail(out, "script_internal_error",
            "The script's process did what it must not, and was ended");
        break;
    default:
        fail(out, "script_internal_error", "The script's process crashed");
    }
}

static void session_init(struct session *session, const struct script_run *run, int fd)
{

    session->run = run;
    session->fd = fd;
    atomic_init(&session->over, false);
    pthread_mutex_init(&session->write_lock, NULL);
    pthread_mutex_init(&session->lock, NULL);
    cond_init(&session->answered);
}

/* The calls that still run use the session: they are waited for. */
static void session_finish(struct session *session)
{
    atomic_store(&session->over, true);
    pthread_mutex_lock(&session->lock);
    while (session->calls > 0)
        pthread_cond_wait(&session->answered, &session->lock);
    pthread_mutex_unlock(&session->lock);
    pthread_cond_destroy(&session->answered);
    pthread_mutex_destroy(&session->lock);
    pthread_mutex_destroy(&session->write_lock);
}

void script_run(struct runners *runners, struct pool *calls, const struct script_run *run,
    struct script_outcome *out)
{
    int64_t began_us = clock_mono_us();
    int64_t until_us = run->wall_ms > 0 ? began_us + run->wall_ms * 1000 : INT64_MAX / 2;
    struct session session = {0};
    struct err err = {0};
    struct runner *runner;
    enum step step = STEP_BROKEN;
    bool idle;

    memset(out, 0, sizeof *out);
    turns_take(run->turns);
    runner = runners_take(runners, run->version, &err);
    if (runner == NULL) {
        turns_give(run->turns);
        fail(out, "action_script_failure", err.message);
        return;
    }
    out->fresh = runner_is_fresh(runner);
    session_init(&session, run, runner_fd(runner));
    session.turn_until_us = clock_mono_us() + TURN_MAX_MS * 1000;
    if (begin_run(&session, runner, out))
        step = converse(&session, calls, until_us, out);
    if (step == STEP_DONE)
        runner_keeps_code(runner);
    end_turn(&session);
    pthread_mutex_lock(&session.lock);
    idle = session.unanswered == 0;
    pthread_mutex_unlock(&session.lock);
    if (step != STEP_DONE) {
        /* Dead before its calls are waited for: a write to it must not hang. */
        bool by_itself = out->type == NULL;
        int status = -1;

        shutdown(session.fd, SHUT_RDWR);
        if (by_itself)
            status = runner_status_within(runners, runner, END_MS);
        if (by_itself)
            explain_end(status, out);
        runner_kill(runner);
    }
    /* Calls that the script began and did not wait for may end, within its time. */
    if (step == STEP_DONE)
        wait_for_room(&session, 0, until_us);
    if (run->ended != NULL)
        atomic_store(run->ended, true);
    session_finish(&session);
    /* What a script left running belongs to it: the next one gets another process. */
    runners_give(runners, runner, step == STEP_DONE && idle && out->ok && !run->single);
    out->took_ms = (clock_mono_us() - began_us) / 1000;
}
