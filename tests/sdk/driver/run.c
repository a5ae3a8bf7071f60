/* SPDX-License-Identifier: Apache-2.0 */
/* One call from its arguments to its line. What the header promises about every call is
 * checked here. */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

void run_start(struct run *run, const struct method *method, const char *args)
{
    nango_document *document = NULL;
    nango_error error;

    if (nango_document_parse(args, strlen(args), &document, &error) != NANGO_OK)
        misuse("%s: %s", method->name, error.message);
    run->args = nango_document_root(document);
    if (nango_json_type_of(run->args) != NANGO_JSON_OBJECT)
        misuse("%s: the arguments are no object", method->name);
    run->discard = arg_bool(run, "$discard");
    run->cancel = arg_bool(run, "$cancel");
    run->out.file = must(open_memstream(&run->line, &run->line_len));
    if (run->heap != NULL) {
        run->heap->fail_at = arg_int(run, "$failAlloc");
        run->heap->counted = 0;
    }
    method->run(run);
    run->args = NULL;
    run_free_args(run);
    nango_document_free(document);
}

void run_wait(struct run *run)
{
    while (run->ended == 0) {
        if (run->tick != NULL)
            run->tick(run);
        loop_turn(run->loop);
    }
}

void run_finish(struct run *run)
{
    if (run->finish_state != NULL)
        run->finish_state(run->state);
    free(run->line);
    *run = (struct run){.client = run->client, .loop = run->loop, .heap = run->heap};
}

void run_returned(struct run *run, nango_code code, bool has_result)
{
    if (code != run->error.code)
        fault("returned %s, but the error says %s", nango_code_name(code),
            nango_code_name(run->error.code));
    if (code == NANGO_OK && !has_result && !run->discard)
        fault("NANGO_OK without a result");
}

void run_started(struct run *run, nango_code code)
{
    if (code != run->error.code)
        fault("returned %s, but the error says %s", nango_code_name(code),
            nango_code_name(run->error.code));
    run->returned = true;
    if (code != NANGO_OK) {
        if (run->ended != 0)
            fault("a call that was not started ended");
        run_begin(run, &run->error, false);
        run_end(run);
        return;
    }
    if (run->call == NULL)
        fault("a call was started and none is given");
    if (run->cancel) {
        nango_call_cancel(run->call);
        if (run->ended != 1)
            fault("a cancelled call has not ended");
    }
}

bool run_begin(struct run *run, const nango_error *error, bool has_result)
{
    struct out *out = &run->out;
    const nango_response *answer = nango_client_last_answer(run->client);

    if (run->ended++ != 0)
        fault("a callback ran twice");
    if (run->loop != NULL && !run->returned)
        fault("a callback ran before the _start function returned");
    if (error == NULL)
        fault("a callback got no error");
    if (memchr(error->message, '\0', sizeof error->message) == NULL)
        fault("an error's message has no end");
    if (has_result && error->code != NANGO_OK &&
        !(run->proxied && (error->code == NANGO_E_HTTP || error->code == NANGO_E_PARSE)))
        fault("a result with %s", nango_code_name(error->code));
    put_open(out, NULL, '{');
    put_text(out, "code", nango_code_name(error->code));
    if (error->code == NANGO_OK) {
        if (answer != NULL)
            fault("nango_client_last_answer() after success");
        return has_result;
    }
    put_int(out, "http_status", error->http_status);
    put_text(out, "server_code", error->server_code);
    put_text(out, "message", error->message);
    put_int(out, "detail", error->detail);
    put_int(out, "retry_after_s", error->retry_after_s);
    if (answer != NULL) {
        put_open(out, "answer", '{');
        put_int(out, "status", nango_response_status(answer));
        put_content(out, "body", answer);
        put_close(out, '}');
    }
    return has_result;
}

void run_end(struct run *run)
{
    if (run->heap != NULL)
        put_int(&run->out, "allocations", run->heap->counted);
    put_close(&run->out, '}');
    if (fclose(run->out.file) != 0)
        fault("memory is out");
    run->out.file = NULL;
}

void response_ended(nango_response *response, const nango_error *error, void *user)
{
    struct run *run = user;

    if (run_begin(run, error, response != NULL)) {
        put_content(&run->out, "result", response);
        put_response(&run->out, "typed", response);
    }
    run_end(run);
    nango_response_free(response);
}
