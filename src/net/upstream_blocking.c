/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking calls, for straight-line code on worker threads. Redirects are followed here,
 * hop by hop: each target passes the policy, and what belongs to the first host stays
 * there.
 *
 * Each thread keeps one libcurl handle, and with it the parsed certificate store and TLS
 * sessions: reading the system's store anew costs more than the whole call. Connections
 * are not kept: libcurl sends a request again when a kept one dies under it, and a token
 * request must be sent once (a rotating refresh token is void after its first use). */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/inflate.h"
#include "net/upstream_int.h"

#define DEFAULT_MAX_BODY ((size_t)1024 * 1024)
#define DEFAULT_TIMEOUT_MS 30000

/* What a thread keeps between calls. */
struct client {
    CURL *easy;
};

struct blocking {
    CURL *easy;
    const char *bytes; /* a body too long to leave with the head */
    size_t bytes_len, bytes_at;
    struct up_guard guard;
    struct up_head head;
    struct inflater *inflater; /* of this answer; NULL = as it comes */
    bool inflate;
    struct buf *body;
    const atomic_bool *given_up;
    bool head_only;
    bool too_large;
};

static pthread_once_t client_once = PTHREAD_ONCE_INIT;
static pthread_key_t client_key;

static void client_free(void *arg)
{
    struct client *client = arg;

    curl_easy_cleanup(client->easy);
    free(client);
}

static void make_client_key(void)
{
    if (pthread_key_create(&client_key, client_free) != 0)
        abort();
}

static struct client *client_take(void)
{
    struct client *client;

    pthread_once(&client_once, make_client_key);
    client = pthread_getspecific(client_key);
    if (client != NULL)
        return client;
    client = MEM_NEW(struct client);
    client->easy = curl_easy_init();
    if (client->easy == NULL || pthread_setspecific(client_key, client) != 0)
        abort();
    return client;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct blocking *b = arg;

    if (up_head_line(&b->head, line, size * count)) {
        if (b->head_only)
            return 0; /* ends the call */
        if (b->inflate)
            b->inflater = up_head_inflate(&b->head);
    }
    return b->head.refused ? 0 : size * count;
}

static bool keep(void *arg, const char *data, size_t len)
{
    struct blocking *b = arg;

    b->too_large = !buf_append(b->body, data, len);
    return !b->too_large;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct blocking *b = arg;
    size_t len = size * count;
    bool ok = b->inflater != NULL
                  ? inflater_feed(b->inflater, data, len, keep, b) == INFLATE_ON
                  : keep(b, data, len);

    return ok ? len : 0;
}

static size_t on_wanted(char *out, size_t size, size_t count, void *arg)
{
    struct blocking *b = arg;
    size_t got = b->bytes_len - b->bytes_at;

    got = got < size * count ? got : size * count;
    memcpy(out, b->bytes + b->bytes_at, got);
    b->bytes_at += got;
    return got;
}

static int on_rewind(void *arg, curl_off_t offset, int origin)
{
    struct blocking *b = arg;

    if (origin != SEEK_SET || offset != 0)
        return CURL_SEEKFUNC_CANTSEEK;
    b->bytes_at = 0;
    return CURL_SEEKFUNC_OK;
}

/* Called by libcurl all the time, at least once a second. */
static int on_progress(
    void *arg, curl_off_t down, curl_off_t got, curl_off_t up, curl_off_t sent)
{
    const struct blocking *b = arg;

    (void)down, (void)got, (void)up, (void)sent;
    return atomic_load(b->given_up) ? 1 : 0; /* 1 ends the call */
}

static void copy_headers(struct http_headers *to, const struct http_headers *from)
{
    for (size_t i = 0; from != NULL && i < from->count; i++)
        http_headers_add(to, from->items[i].name, from->items[i].value);
}

static void drop_credentials(struct http_headers *headers, const char *const *also)
{
    static const char *const always[] = {
        "Authorization", "Proxy-Authorization", "Cookie"};

    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        http_headers_remove(headers, always[i]);
    for (; also != NULL && *also != NULL; also++)
        http_headers_remove(headers, *also);
}

/* One request and its answer. */
static enum up_failure call_once(struct blocking *b, const struct up_request *request,
    const char *url, const struct http_headers *headers, int64_t timeout_ms)
{
    struct up_request hop = *request;
    struct curl_slist *list;
    struct err err = {0};
    enum up_failure failure;
    CURLcode code;

    inflater_free(b->inflater);
    b->inflater = NULL;
    if (timeout_ms <= 0)
        return UP_TIMEOUT;
    if (!up_request_is_sound(request))
        return UP_FAILED;
    if (request->policy != NULL && !policy_check_url(request->policy, url, &err))
        return UP_DENIED;
    b->bytes = request->body;
    b->bytes_len = request->body_kind == UP_BODY_BYTES ? (size_t)request->body_len : 0;
    b->bytes_at = 0;
    hop.url = url;
    hop.headers = headers;
    up_head_reset(&b->head);
    buf_clear(b->body);
    list = up_setup_request(b->easy, &hop, &b->guard, false);
    curl_easy_setopt(b->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    code = curl_easy_perform(b->easy);
    if (b->head_only && b->head.complete)
        failure = UP_OK;
    else
        failure = b->too_large ? UP_TOO_LARGE : up_failure_of(b->easy, code, &b->guard);
    if (failure == UP_OK && b->inflater != NULL && !inflater_is_whole(b->inflater))
        failure = UP_FAILED;
    up_free_list(list);
    curl_easy_setopt(b->easy, CURLOPT_HTTPHEADER, NULL);
    return failure;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* Takes the request one hop further; false when there is nowhere to go. */
static bool next_hop(struct blocking *b, const struct up_blocking *call,
    struct up_request *request, char **url, struct http_headers *headers)
{
    const char *location = http_headers_find(&b->head.headers, "location");
    char *target = location != NULL ? up_resolve_url(*url, location) : NULL;
    int status = b->head.status;

    if (target == NULL)
        return false;
    if (status == 303 ||
        ((status == 301 || status == 302) && str_eq(request->method, "POST"))) {
        request->method = "GET";
        request->body_kind = UP_BODY_NONE;
        http_headers_remove(headers, "Content-Type");
    }
    http_headers_remove(headers, "Host");
    if (!up_same_site(*url, target)) {
        drop_credentials(headers, call->drop_on_redirect);
        if (request->body_kind != UP_BODY_NONE) { /* it may hold credentials, too */
            free(target);
            return false;
        }
    }
    free(*url);
    *url = target;
    return true;
}

static void setup_client(struct client *client, struct blocking *b, const char *ca_file)
{
    curl_easy_reset(client->easy); /* connections and certificates stay */
    up_setup_handle(client->easy, ca_file, 0);
    curl_easy_setopt(client->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(client->easy, CURLOPT_HEADERDATA, b);
    curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, b);
    curl_easy_setopt(client->easy, CURLOPT_READFUNCTION, on_wanted);
    curl_easy_setopt(client->easy, CURLOPT_READDATA, b);
    curl_easy_setopt(client->easy, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(client->easy, CURLOPT_SEEKDATA, b);
    curl_easy_setopt(client->easy, CURLOPT_OPENSOCKETDATA, &b->guard);
    if (b->given_up != NULL) {
        curl_easy_setopt(client->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(client->easy, CURLOPT_XFERINFODATA, b);
        curl_easy_setopt(client->easy, CURLOPT_NOPROGRESS, 0L);
    }
    b->easy = client->easy;
}

bool up_call_blocking(const struct up_blocking *call, struct up_answer *answer)
{
    struct client *client = client_take();
    struct up_request request = *call->request;
    struct http_headers headers = {0};
    struct blocking b = {.body = &answer->body,
        .given_up = call->given_up,
        .head_only = call->head_only,
        .inflate = request.decompress};
    char *url = str_dup(request.url);
    int64_t deadline_ms =
        clock_mono_ms() + (call->timeout_ms > 0 ? call->timeout_ms : DEFAULT_TIMEOUT_MS);
    int hops = 0;

    memset(answer, 0, sizeof *answer);
    buf_init_secret(
        &answer->body, call->max_body > 0 ? call->max_body : DEFAULT_MAX_BODY);
    up_head_init(&b.head);
    copy_headers(&headers, request.headers);
    setup_client(client, &b, call->ca_file);
    do {
        answer->failure =
            call_once(&b, &request, url, &headers, deadline_ms - clock_mono_ms());
    } while (answer->failure == UP_OK && call->follow && is_redirect(b.head.status) &&
             request.policy != NULL && hops++ < request.policy->max_redirects &&
             next_hop(&b, call, &request, &url, &headers));
    if (answer->failure == UP_OK) {
        answer->status = b.head.status;
        copy_headers(&answer->headers, &b.head.headers);
    }
    str_copy(answer->message, sizeof answer->message, up_failure_text(answer->failure));
    curl_easy_reset(client->easy); /* nothing of this call stays with the handle */
    inflater_free(b.inflater);
    up_head_finish(&b.head);
    http_headers_finish(&headers);
    free(url);
    return answer->failure == UP_OK;
}

void up_answer_finish(struct up_answer *answer)
{
    http_headers_finish(&answer->headers);
    buf_finish(&answer->body);
}
