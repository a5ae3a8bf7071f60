/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer, by a libcurl easy handle. Whoever runs the handle (run.c,
 * async.c) calls ngo_transfer_begin() before and ngo_transfer_end() after. Where a redirect
 * leads, redirect.c says. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sdk/client_int.h"

/* Bytes of all of an answer's headers; libcurl has a bound of its own above this. */
#define MAX_HEAD (256 * 1024)

/* Bytes of a redirect's body that are read to keep the connection; then it is dropped. */
#define MAX_REDIRECT_BODY (64 * 1024)

/* No time is longer: what is added to it must not overflow. */
#define MAX_TIME_MS ((int64_t)INT32_MAX)

int64_t ngo_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void failed_inside(nango_call *call)
{
    call->transfer->failed_inside = true;
}

/* Of a stream: its time begins anew. */
static void moved(nango_call *call)
{
    call->transfer->last_piece_ms = ngo_now_ms();
}

/* All headers of an answer are there. False: stop the transfer. */
static bool head_ends(nango_call *call)
{
    struct ngo_transfer *transfer = call->transfer;
    bool go_on = true;

    if (call->response->status < 200) {
        transfer->head_begins = true; /* 100 or its like: another one follows */
        return true;
    }
    transfer->head_done = true;
    transfer->redirected = ngo_is_redirect(call);
    if (transfer->redirected || !call->streamed || call->stream.on_head == NULL)
        return true;
    call->client->in_callback++;
    go_on = call->stream.on_head(call->response, call->stream.user);
    call->client->in_callback--;
    moved(call);
    if (!go_on) {
        ngo_call_fail(call, NANGO_E_CANCELLED, "on_head ended the call");
        failed_inside(call);
    }
    return go_on && !call->cancelled;
}

/* "HTTP/1.1 200 OK" begins an answer; there may have been others (100, or the answer of an
 * HTTP proxy on the way). */
static bool status_line(nango_call *call, const char *line, size_t len)
{
    char text[32];
    int status = 0;

    if (!call->transfer->head_begins)
        return false;
    call->transfer->head_begins = false;
    if (len < 5 || strncmp(line, "HTTP/", 5) != 0)
        return false;
    ngo_response_clear(call->response);
    snprintf(text, sizeof text, "%.*s", (int)(len < 31 ? len : 31), line);
    if (sscanf(text, "HTTP/%*s %d", &status) == 1)
        call->response->status = status;
    return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    nango_call *call = user;
    size_t all = size * count, len = all;
    const char *colon, *value;

    moved(call);
    if (call->cancelled)
        return 0;
    if (call->transfer->head_done) /* a trailer; nobody asked for one */
        return all;
    call->transfer->head_bytes += all;
    if (call->transfer->head_bytes > MAX_HEAD) {
        ngo_call_fail(call, NANGO_E_TOO_LARGE,
            "the answer's headers have more than %d bytes", MAX_HEAD);
        failed_inside(call);
        return 0;
    }
    while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL && line[len - 1] != '\0')
        len--;
    if (len == 0)
        return head_ends(call) ? all : 0;
    if (status_line(call, line, len))
        return all;
    colon = memchr(line, ':', len);
    if (colon == NULL || colon == line)
        return all;
    value = colon + 1;
    while (value < line + len && (*value == ' ' || *value == '\t'))
        value++;
    if (!ngo_response_add_header(call->response, line, (size_t)(colon - line), value,
            (size_t)(line + len - value))) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        failed_inside(call);
        return 0;
    }
    return all;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    nango_call *call = user;
    size_t len = size * count;
    bool go_on = true;

    if (call->cancelled)
        return 0;
    if (call->transfer->redirected) { /* nobody waits for these: they are no progress */
        call->transfer->thrown_bytes += len;
        call->transfer->redirect_cut = call->transfer->thrown_bytes > MAX_REDIRECT_BODY;
        return call->transfer->redirect_cut ? 0 : len;
    }
    moved(call);
    if (call->paused)
        return CURL_WRITEFUNC_PAUSE;
    if (call->streamed) {
        if (call->stream.on_data != NULL) {
            call->client->in_callback++;
            go_on = call->stream.on_data(data, len, call->stream.user);
            call->client->in_callback--;
            moved(call);
        }
        if (!go_on) {
            ngo_call_fail(call, NANGO_E_CANCELLED, "on_data ended the call");
            failed_inside(call);
        }
        return go_on && !call->cancelled ? len : 0;
    }
    if (len > call->client->max_response_bytes - call->response->body.len) {
        ngo_call_fail(call, NANGO_E_TOO_LARGE,
            "the answer has more than max_response_bytes, which is %zu",
            call->client->max_response_bytes);
        failed_inside(call);
        return 0;
    }
    ngo_text_add(&call->response->body, data, len);
    if (call->response->body.failed) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        failed_inside(call);
        return 0;
    }
    return len;
}

/* libcurl sends what it is given, even more or less than was announced, and goes on using
 * the connection: the next request would then be read as a part of this one's body. */
static size_t on_read(char *data, size_t size, size_t count, void *user)
{
    nango_call *call = user;
    struct ngo_transfer *transfer = call->transfer;
    int64_t announced = call->stream.read_size > 0 ? call->stream.read_size : -1;
    size_t room = size * count;
    int64_t got;

    moved(call);
    transfer->starved = false;
    if (call->cancelled)
        return CURL_READFUNC_ABORT;
    if (announced >= 0 && (uint64_t)(announced - transfer->sent_bytes) < room)
        room = (size_t)(announced - transfer->sent_bytes);
    if (room == 0)
        return 0;
    call->client->in_callback++;
    got = call->stream.read(data, room, call->stream.user);
    call->client->in_callback--;
    moved(call);
    if (got == NANGO_STREAM_WAIT && call->client->attached && call->state == NGO_MOVING) {
        transfer->starved = true;
        return CURL_READFUNC_PAUSE;
    }
    if (got < 0 || (uint64_t)got > room)
        ngo_call_fail(call, NANGO_E_CANCELLED, "read ended the call");
    else if (got == 0 && announced >= 0)
        ngo_call_fail(call, NANGO_E_ARGUMENT,
            "read ended after %lld bytes of the announced %lld",
            (long long)transfer->sent_bytes, (long long)announced);
    if (call->error.code != NANGO_OK) {
        failed_inside(call);
        return CURL_READFUNC_ABORT;
    }
    transfer->sent_bytes += got;
    return (size_t)got;
}

bool ngo_transfer_rewind(nango_call *call)
{
    bool done = false;

    if (call->stream.rewind != NULL && !call->cancelled) {
        call->client->in_callback++;
        done = call->stream.rewind(call->stream.user);
        call->client->in_callback--;
    }
    call->transfer->sent_bytes = 0;
    return done;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    return ngo_transfer_rewind(user) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

static bool add_line(struct ngo_transfer *transfer, const char *line)
{
    struct curl_slist *list = curl_slist_append(transfer->list, line);

    if (list != NULL)
        transfer->list = list;
    return list != NULL;
}

static void free_list(struct ngo_transfer *transfer)
{
    for (struct curl_slist *node = transfer->list; node != NULL; node = node->next)
        ngo_wipe(node->data, strlen(node->data));
    curl_slist_free_all(transfer->list);
    transfer->list = NULL;
}

static bool build_list(nango_call *call, bool at_home)
{
    struct ngo_transfer *transfer = call->transfer;
    bool typed = false, good = true;

    free_list(transfer);
    for (size_t i = 0; good && i < call->header_count; i++) {
        const struct ngo_header *header = &call->headers[i];
        struct ngo_text line;

        if (!at_home && !ngo_may_leave(header->name))
            continue;
        typed = typed || strcasecmp(header->name, "Content-Type") == 0;
        ngo_text_init(&line, &call->mem);
        ngo_text_puts(&line, header->name);
        /* This is how libcurl is told of an empty value. */
        ngo_text_puts(&line, *header->value != '\0' ? ": " : ";");
        ngo_text_puts(&line, header->value);
        good = !line.failed && add_line(transfer, line.data);
        ngo_text_finish(&line);
    }
    /* What libcurl would add of its own. */
    if (good && !typed)
        good = add_line(transfer, "Content-Type:");
    return good && add_line(transfer, "Expect:");
}

#define SET(option, value)                                                               \
    if (code == CURLE_OK)                                                                \
    code = curl_easy_setopt(easy, (option), (value))

static CURLcode set_body(nango_call *call, CURL *easy)
{
    bool streams = call->streamed && call->stream.read != NULL;
    CURLcode code = CURLE_OK;

    if (streams) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE,
            (curl_off_t)(call->stream.read_size > 0 ? call->stream.read_size : -1));
    } else if (call->has_body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(CURLOPT_POSTFIELDS, call->body.data != NULL ? call->body.data : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, call->method);
    return code;
}

/* What is left of the time for the whole answer, redirects included; 0: none. */
static int64_t left_ms(const struct ngo_transfer *transfer)
{
    int64_t left = transfer->limit_ms - (ngo_now_ms() - transfer->look_ms);

    return left > 0 ? left : 0;
}

/* A stream may take as long as it likes: ngo_transfer_due() sees to it. Only what comes
 * before its first piece may not. */
static CURLcode set_limits(nango_call *call, CURL *easy)
{
    const struct ngo_transfer *transfer = call->transfer;
    int64_t connect = call->client->connect_timeout_ms, whole = 0;
    CURLcode code = CURLE_OK;

    if (!call->streamed && transfer->limit_ms > 0) {
        whole = left_ms(transfer);
        whole = whole > 0 ? whole : 1; /* 0 would be no limit */
    }
    if (connect == 0) /* which would be libcurl's own */
        connect = MAX_TIME_MS;
    if (call->streamed && transfer->limit_ms > 0 && transfer->limit_ms < connect)
        connect = transfer->limit_ms;
    SET(CURLOPT_TIMEOUT_MS, (long)whole);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    return code;
}

/* What one request needs of its own: everything that set_nothing() takes back. */
static CURLcode set_request(nango_call *call, CURL *easy)
{
    struct ngo_transfer *transfer = call->transfer;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_ERRORBUFFER, transfer->reason);
    SET(CURLOPT_PRIVATE, call);
    SET(CURLOPT_URL, call->url.data);
    SET(CURLOPT_HTTPHEADER, transfer->list);
    SET(CURLOPT_HEADERDATA, call);
    SET(CURLOPT_WRITEDATA, call);
    SET(CURLOPT_READDATA, call);
    SET(CURLOPT_SEEKDATA, call);
    if (code == CURLE_OK)
        code = set_limits(call, easy);
    if (code == CURLE_OK)
        code = set_body(call, easy);
    return code;
}

/* Nothing of a call may be reachable from a handle at rest. curl_easy_reset() would do it
 * and restore libcurl's defaults with it, but says nothing when it lacks the memory for
 * these and leaves them half done. None of these allocates. */
static void set_nothing(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    curl_easy_setopt(easy, CURLOPT_URL, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_READDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
}

/* A handle with what all of the client's requests have in common. NULL: memory is out. */
static CURL *handle_new(const nango_client *client)
{
    CURL *easy = curl_easy_init();
    CURLcode code = CURLE_OK;

    if (easy == NULL)
        return NULL;
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    /* A name that is looked up slowly must not hold up a timeout or a cancelled call. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (client->ca_file != NULL)
        SET(CURLOPT_CAINFO, client->ca_file);
    if (code == CURLE_OK)
        return easy;
    curl_easy_cleanup(easy);
    return NULL;
}

static bool take_handle(nango_call *call)
{
    nango_client *client = call->client;
    struct ngo_transfer *transfer = call->transfer;

    if (transfer == NULL) {
        transfer = ngo_alloc(&call->mem, sizeof *transfer);
        if (transfer == NULL)
            return false;
        transfer->began_ms = transfer->look_ms = ngo_now_ms();
        transfer->limit_ms = call->client->timeout_ms;
        call->transfer = transfer;
    }
    if (transfer->easy == NULL && client->idle_count > 0)
        transfer->easy = client->idle[--client->idle_count];
    if (transfer->easy == NULL)
        transfer->easy = handle_new(client);
    return transfer->easy != NULL;
}

bool ngo_transfer_begin(nango_call *call)
{
    bool memory = true, home;
    CURLcode code = CURLE_OUT_OF_MEMORY;

    if (call->error.code != NANGO_OK)
        return false;
    if (call->url.failed || call->body.failed || !take_handle(call)) {
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
        return false;
    }
    if (call->transfer->redirects == 0)
        call->transfer->look_ms = ngo_now_ms();
    call->transfer->head_begins = true;
    call->transfer->head_done = call->transfer->redirected = false;
    call->transfer->redirect_cut = call->transfer->starved = false;
    call->transfer->head_bytes = call->transfer->thrown_bytes = 0;
    call->transfer->sent_bytes = 0;
    moved(call);
    if (!call->streamed && call->transfer->limit_ms > 0 && left_ms(call->transfer) == 0) {
        ngo_call_fail(
            call, NANGO_E_TIMEOUT, "the redirects take longer than the timeout");
        return false;
    }
    call->transfer->reason[0] = '\0';
    if (call->response == NULL)
        call->response = ngo_response_new(&call->mem);
    home = ngo_is_home(call, &memory);
    if (!home && (call->has_body || (call->streamed && call->stream.read != NULL))) {
        ngo_call_fail(call, NANGO_E_NETWORK,
            "the server redirects the request's body to another host, which does not get "
            "it");
        return false;
    }
    set_nothing(call->transfer->easy);
    if (memory && call->response != NULL && build_list(call, home))
        code = set_request(call, call->transfer->easy);
    if (code == CURLE_OK)
        return true;
    if (code == CURLE_OUT_OF_MEMORY)
        ngo_call_fail(call, NANGO_E_MEMORY, "memory is out");
    else
        ngo_call_fail(call, NANGO_E_ARGUMENT, "libcurl refuses the request: %s",
            curl_easy_strerror(code));
    return false;
}

void ngo_transfer_free(nango_call *call)
{
    struct ngo_transfer *transfer = call->transfer;

    if (transfer == NULL)
        return;
    if (transfer->easy != NULL) {
        set_nothing(transfer->easy);
        if (call->client->idle_count < NGO_IDLE_MAX)
            call->client->idle[call->client->idle_count++] = transfer->easy;
        else
            curl_easy_cleanup(transfer->easy);
    }
    free_list(transfer);
    ngo_free(&call->mem, transfer);
    call->transfer = NULL;
}

void ngo_transfer_renew(nango_call *call)
{
    if (call->transfer != NULL)
        call->transfer->redirects = 0;
}

int64_t ngo_transfer_due(const nango_call *call)
{
    const struct ngo_transfer *transfer = call->transfer;

    if (!call->streamed || transfer->limit_ms == 0 || call->paused || transfer->starved)
        return -1;
    return transfer->last_piece_ms + transfer->limit_ms;
}

void ngo_transfer_stalled(nango_call *call)
{
    ngo_call_fail(call, NANGO_E_TIMEOUT, "nothing moved for %lld ms",
        (long long)(ngo_now_ms() - call->transfer->last_piece_ms));
    failed_inside(call);
}

enum ngo_end ngo_transfer_end(nango_call *call, CURLcode code, void **result)
{
    *result = NULL;
    if (code == CURLE_WRITE_ERROR && call->transfer->redirect_cut && !call->cancelled)
        code = CURLE_OK;
    if (code != CURLE_OK || call->error.code != NANGO_OK) {
        ngo_fail_by_libcurl(call, code);
        return NGO_DONE;
    }
    if (call->transfer->redirected)
        return ngo_follow(call) ? NGO_AGAIN : NGO_DONE;
    *result = ngo_decode(call);
    if (call->wait != NULL && *result == NULL && call->error.code == NANGO_OK)
        return NGO_LATER;
    return NGO_DONE;
}
