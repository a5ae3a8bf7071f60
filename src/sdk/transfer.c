/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer, by a libcurl easy handle. Whoever runs the handle (run.c,
 * async.c) calls ngo_transfer_begin() before and ngo_transfer_end() after.
 *
 * Redirects are followed here and not by libcurl, which would hand every header to whatever
 * host the answer names: beyond the server's own origin go only those that say nothing of
 * anyone. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "sdk/client_int.h"

/* As many as the official client's HTTP library follows. */
#define MAX_REDIRECTS 21

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

static bool is_redirect(const nango_call *call)
{
    int status = call->response->status;

    return (status == 301 || status == 302 || status == 303 || status == 307 ||
               status == 308) &&
           nango_response_header(call->response, "Location") != NULL;
}

/* All headers of an answer are there. False: stop the transfer. */
static bool head_ends(nango_call *call)
{
    struct ngo_transfer *transfer = call->transfer;
    bool go_on = true;

    if (call->response->status < 200 || transfer->head_done)
        return true;
    transfer->head_done = true;
    transfer->redirected = is_redirect(call);
    if (transfer->redirected || !call->streamed || call->stream.on_head == NULL)
        return true;
    call->client->in_callback++;
    go_on = call->stream.on_head(call->response, call->stream.user);
    call->client->in_callback--;
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

    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (len == 0)
        return head_ends(call) ? all : 0;
    if (call->transfer->head_done) /* a trailer; nobody asked for one */
        return all;
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

    if (call->transfer->redirected)
        return len;
    if (call->streamed) {
        if (call->stream.on_data != NULL) {
            call->client->in_callback++;
            go_on = call->stream.on_data(data, len, call->stream.user);
            call->client->in_callback--;
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

static size_t on_read(char *data, size_t size, size_t count, void *user)
{
    nango_call *call = user;
    int64_t got;

    call->client->in_callback++;
    got = call->stream.read(data, size * count, call->stream.user);
    call->client->in_callback--;
    if (got < 0 || (uint64_t)got > (uint64_t)(size * count)) {
        ngo_call_fail(call, NANGO_E_CANCELLED, "read ended the call");
        failed_inside(call);
        return CURL_READFUNC_ABORT;
    }
    return (size_t)got;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    nango_call *call = user;
    bool done;

    if (offset != 0 || origin != SEEK_SET || call->stream.rewind == NULL)
        return CURL_SEEKFUNC_CANTSEEK;
    call->client->in_callback++;
    done = call->stream.rewind(call->stream.user);
    call->client->in_callback--;
    return done ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

/* What a host that is not the server may be told. */
static bool may_leave(const char *name)
{
    return strcasecmp(name, "Accept") == 0 || strcasecmp(name, "User-Agent") == 0 ||
           strcasecmp(name, "Content-Type") == 0;
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

        if (!at_home && !may_leave(header->name))
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
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->stream.read_size);
    } else if (call->has_body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(CURLOPT_POSTFIELDS, call->body.data != NULL ? call->body.data : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, call->method);
    return code;
}

static CURLcode set_limits(nango_call *call, CURL *easy)
{
    const nango_client *client = call->client;
    CURLcode code = CURLE_OK;

    /* Of a stream the time counts from the last piece. */
    SET(CURLOPT_TIMEOUT_MS, call->streamed ? 0L : (long)client->timeout_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, call->streamed && client->timeout_ms > 0 ? 1L : 0L);
    SET(CURLOPT_LOW_SPEED_TIME,
        call->streamed ? (long)((client->timeout_ms + 999) / 1000) : 0L);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        client->connect_timeout_ms > 0 ? (long)client->connect_timeout_ms : 1000000000L);
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
        transfer->began_ms = ngo_now_ms();
        call->transfer = transfer;
    }
    if (transfer->easy == NULL && client->idle_count > 0)
        transfer->easy = client->idle[--client->idle_count];
    if (transfer->easy == NULL)
        transfer->easy = handle_new(client);
    return transfer->easy != NULL;
}

/* The part of an origin between scheme and port. */
static bool same_host(const char *a, const char *b)
{
    const char *a_host = strstr(a, "://"), *b_host = strstr(b, "://");
    const char *a_end = strrchr(a, ':'), *b_end = strrchr(b, ':');

    return a_end - a_host == b_end - b_host &&
           strncmp(a_host, b_host, (size_t)(a_end - a_host)) == 0;
}

/* Whether the address is the server's: its own origin, or the same host by TLS where it
 * was without. */
static bool is_home(nango_call *call, bool *memory)
{
    char *origin;
    bool is_url, home;

    if (call->transfer->redirects == 0)
        return true;
    origin = ngo_origin(&call->mem, call->url.data, &is_url);
    *memory = origin != NULL || !is_url;
    home = origin != NULL && (strcmp(origin, call->client->origin) == 0 ||
                                 (strncmp(call->client->origin, "http:", 5) == 0 &&
                                     strncmp(origin, "https:", 6) == 0 &&
                                     same_host(origin, call->client->origin)));
    ngo_free(&call->mem, origin);
    return home;
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
    call->transfer->head_done = call->transfer->redirected = false;
    call->transfer->reason[0] = '\0';
    if (call->response == NULL)
        call->response = ngo_response_new(&call->mem);
    home = is_home(call, &memory);
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

/* Points the call to where the answer says. False: it cannot go there. */
static bool follow(nango_call *call)
{
    struct ngo_transfer *transfer = call->transfer;
    int status = call->response->status;
    char *to = NULL;

    if (transfer->redirects == MAX_REDIRECTS) {
        ngo_call_fail(call, NANGO_E_NETWORK, "more than %d redirects", MAX_REDIRECTS);
        return false;
    }
    if (curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK ||
        to == NULL) {
        ngo_call_fail(call, NANGO_E_NETWORK, "the redirect's Location is no URL");
        return false;
    }
    transfer->redirects++;
    ngo_text_finish(&call->url);
    ngo_text_puts(&call->url, to);
    /* 307 and 308 repeat the request; 301 and 302 make a GET of a POST, as every client
     * does, and 303 of everything (RFC 9110, section 15.4). */
    if ((status == 303 && strcmp(call->method, "GET") != 0) ||
        ((status == 301 || status == 302) && strcmp(call->method, "POST") == 0)) {
        call->method = "GET";
        ngo_text_finish(&call->body);
        call->has_body = false;
        call->stream.read = NULL;
    } else if (call->streamed && call->stream.read != NULL &&
               on_seek(call, 0, SEEK_SET) != CURL_SEEKFUNC_OK) {
        ngo_call_fail(call, NANGO_E_NETWORK,
            "the server redirects, and the request's body cannot be read again");
        return false;
    }
    ngo_response_clear(call->response);
    return true;
}

enum ngo_end ngo_transfer_end(nango_call *call, CURLcode code, void **result)
{
    *result = NULL;
    if (code != CURLE_OK || call->error.code != NANGO_OK) {
        ngo_fail_by_libcurl(call, code);
        return NGO_DONE;
    }
    if (call->transfer->redirected)
        return follow(call) ? NGO_AGAIN : NGO_DONE;
    *result = ngo_decode(call);
    if (call->wait != NULL && *result == NULL && call->error.code == NANGO_OK)
        return NGO_LATER;
    return NGO_DONE;
}
