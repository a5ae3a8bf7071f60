/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait: the transfer is run by a multi handle of its own, which, other than
 * curl_easy_perform(), another thread can wake. */
#include <string.h>

#include "sdk/client_int.h"

/* How long libcurl may sleep before it looks at its own timers; it knows better itself and
 * is only bounded by this. */
#define POLL_MS 10000

static bool take_interrupt(nango_client *client)
{
    return atomic_exchange(&client->interrupted, false);
}

static CURLcode failure_of(CURLMcode code)
{
    return code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
}

/* libcurl has just read what there was: whether that is too long ago; else how long the
 * next may take. */
static bool is_stalled(nango_call *call, int *turn)
{
    int64_t due = ngo_transfer_due(call), left = due - ngo_now_ms();

    *turn = due >= 0 && left < POLL_MS ? (int)left : POLL_MS;
    if (due < 0 || left > 0)
        return false;
    ngo_transfer_stalled(call);
    return true;
}

/* Runs the handle to its end. */
static CURLcode perform(nango_call *call)
{
    nango_client *client = call->client;
    CURL *easy = call->transfer->easy;
    CURLcode result = CURLE_FAILED_INIT;
    CURLMcode code = curl_multi_add_handle(client->blocking, easy);
    int running = 1, left, turn;

    while (code == CURLM_OK) {
        CURLMsg *message;

        if (take_interrupt(client)) {
            ngo_call_fail(call, NANGO_E_CANCELLED, "interrupted");
            result = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        client->in_libcurl++;
        code = curl_multi_perform(client->blocking, &running);
        client->in_libcurl--;
        if (code == CURLM_OK && running == 0) {
            message = curl_multi_info_read(client->blocking, &left);
            if (message != NULL && message->msg == CURLMSG_DONE)
                result = message->data.result;
            break;
        }
        if (code == CURLM_OK && is_stalled(call, &turn)) {
            result = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        if (code == CURLM_OK)
            code = curl_multi_poll(client->blocking, NULL, 0, turn, NULL);
    }
    if (code != CURLM_OK)
        result = failure_of(code);
    curl_multi_remove_handle(client->blocking, easy);
    return result;
}

/* Sleeps between two looks; false when it was interrupted. */
static bool sleep_ms(nango_client *client, int64_t ms)
{
    int64_t until = ngo_now_ms() + ms, left = ms;

    while (left > 0) {
        int turn = left > POLL_MS ? POLL_MS : (int)left;

        if (take_interrupt(client))
            return false;
        if (curl_multi_poll(client->blocking, NULL, 0, turn, NULL) != CURLM_OK)
            return false;
        left = until - ngo_now_ms();
    }
    return !take_interrupt(client);
}

static void *run(nango_call *call)
{
    enum ngo_end end = NGO_AGAIN;
    void *result = NULL;

    while (end != NGO_DONE && ngo_transfer_begin(call)) {
        int64_t delay_ms;

        end = ngo_transfer_end(call, perform(call), &result);
        if (end != NGO_LATER)
            continue;
        if (!ngo_wait_next(call, &delay_ms))
            break;
        if (!sleep_ms(call->client, delay_ms)) {
            ngo_call_fail(call, NANGO_E_CANCELLED, "interrupted while waiting");
            break;
        }
    }
    return result;
}

void *ngo_call_run(nango_call *call, nango_code *code, nango_error *err)
{
    nango_client *client;
    void *result = NULL;

    if (call == NULL) {
        *code = ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
        return NULL;
    }
    client = call->client;
    if (client != NULL) {
        if (client->in_callback > 0) { /* which may be reading the last answer */
            ngo_call_fail(call, NANGO_E_STATE,
                "a call cannot be waited for within a callback of the same client");
        } else {
            nango_response_free(client->last_answer);
            client->last_answer = NULL;
        }
        result = run(call);
        if (call->error.code == NANGO_E_HTTP || call->error.code == NANGO_E_PARSE) {
            client->last_answer = call->response;
            call->response = NULL;
        }
    }
    ngo_call_report(call);
    *code = call->error.code;
    if (err != NULL)
        *err = call->error;
    ngo_call_free(call);
    if (client != NULL)
        ngo_async_arm(
            client); /* its callbacks may have started calls, or missed a turn */
    return result;
}
